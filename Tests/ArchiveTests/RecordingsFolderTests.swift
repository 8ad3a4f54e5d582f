import Archive
import Files
import Foundation
import TestSupport
import Testing

@Suite("The recordings folder")
struct RecordingsFolderTests {
  /// A recordings folder with files in and beside it; removed with the last reference.
  private final class Place: Sendable {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("recordings-\(UUID().uuidString)").path
    var folder: String { root + "/audio" }

    init(_ files: String...) throws {
      for file in files + ["outside.wav", "audio-too/a.wav"] {
        let url = URL(fileURLWithPath: root + "/" + file)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data("12345".utf8).write(to: url)
      }
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    func link(_ name: String, to target: String) throws {
      try FileManager.default.createSymbolicLink(atPath: root + "/" + name, withDestinationPath: target)
    }

    /// Everything there is, links and folders too.
    var all: Set<String> { Set(FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []) }
  }

  private func isRefused(_ outcome: RecordingsFolder.Outcome) -> Bool { if case .refused = outcome { true } else { false } }
  private func isFailed(_ outcome: RecordingsFolder.Outcome) -> Bool { if case .failed = outcome { true } else { false } }

  @Test("a file in it or below is removed, however its path is spelt; one that is not there is fine")
  func removes() throws {
    let place = try Place("audio/a.wav", "audio/t/m/b.wav", "audio/t/m/c d\n.wav", "audio/t/m/..e", "audio/z")
    for folder in [place.folder, place.folder + "/", place.root + "//./audio/."] {
      let recordings = try RecordingsFolder(folder)
      #expect(try !recordings.isEmpty())
      let before = place.all
      #expect(try recordings.remove(Array("\(place.folder)/a.wav".utf8), onlyLooks: true) == .removed(bytes: 5))
      #expect(place.all == before)
      for (name, again) in [("/a.wav", true), ("//t/./m//b.wav", true), ("/t/m/c d\n.wav", false), ("/t/m/..e", false)] {
        #expect(try recordings.remove(Array((place.folder + name).utf8)) == .removed(bytes: 5), "\(name)")
        if again { #expect(try recordings.remove(Array((place.folder + name).utf8)) == .missing, "\(name)") }
      }
      #expect(try recordings.remove(Array("\(place.folder)/no/such/folder.wav".utf8)) == .missing)
      #expect(try recordings.remove(Array("\(place.folder)/z/x.wav".utf8)) == .missing)
      try recordings.sync()
      for name in ["a.wav", "t/m/b.wav", "t/m/c d\n.wav", "t/m/..e"] {
        try Data("12345".utf8).write(to: URL(fileURLWithPath: place.folder + "/" + name))
      }
    }
  }

  @Test("nothing else ever is: other folders, .., relative paths, NUL, links that lead out or not, folders")
  func refuses() throws {
    let place = try Place("audio/a.wav", "audio/t/b.wav")
    try place.link("audio/out", to: place.root)
    try place.link("audio/in", to: "t")
    try place.link("audio/file.wav", to: "../outside.wav")
    try place.link("audio/dangling.wav", to: "/nowhere")
    let (folder, before) = (place.folder, place.all)
    let recordings = try RecordingsFolder(folder)
    for path in [
      "", "/", folder, folder + "/", "\(place.root)/outside.wav", "\(place.root)/audio-too/a.wav", "\(folder)/../outside.wav",
      "\(folder)/t/../a.wav", "\(folder)/..", "a.wav", "./a.wav", "audio/a.wav", "\(folder)/a.wav\0", "\(folder)/\0",
      "\(folder)/a.wav/",
      "\(folder)/out/outside.wav", "\(folder)/out/audio/a.wav", "\(folder)/in/b.wav", "\(folder)/file.wav",
      "\(folder)/dangling.wav",
      "\(folder)/t", "\(folder)/out", "/etc/passwd", "\(folder)/" + String(repeating: "x", count: 300),
    ] {
      for onlyLooks in [true, false] {
        let outcome = try recordings.remove(Array(path.utf8), onlyLooks: onlyLooks)
        #expect(isRefused(outcome), "\(path.debugDescription): \(outcome)")
      }
    }
    #expect(place.all == before)
  }

  @Test("paths made of any pieces never reach a file outside", arguments: 0..<3)
  func property(round: Int) throws {
    let place = try Place("audio/a.wav", "audio/t/b.wav")
    try place.link("audio/out", to: place.root)
    let outside = place.all.filter { !$0.hasPrefix("audio/") }
    let inside = try ["a.wav", "t/b.wav"].map { name in
      try FileManager.default.attributesOfItem(atPath: "\(place.folder)/\(name)")[.systemFileNumber] as? UInt64
    }
    let recordings = try RecordingsFolder(place.folder)
    var random = Seeded()
    for _ in 0..<500 {
      var path = random.oneIn(2) ? place.folder : random.oneIn(2) ? place.root : ""
      for _ in 0..<random.below(6) {
        path += random.pick(
          ["/", "//", "/..", "/.", "/out", "/audio", "/a.wav", "/outside.wav", "/t", "\0", "/audio-too", "out"])
      }
      if case .opened(let file) = recordings.open(Array(path.utf8)) {
        #expect(inside.contains(file.inode), "\(path.debugDescription), \(random)")
      }
      _ = try recordings.remove(Array(path.utf8))
      #expect(place.all.filter { !$0.hasPrefix("audio/") } == outside, "\(path.debugDescription), \(random)")
    }
  }

  @Test("what the file system refuses is told, not thrown; a folder that is not there is")
  func fails() throws {
    // Root may do nearly everything, but this not even root.
    let kernel = try RecordingsFolder("/proc/sys/kernel")
    #expect(isFailed(try kernel.remove(Array("/proc/sys/kernel/hostname".utf8))))
    #expect(throws: FileError.self) { try RecordingsFolder("/no/such/folder") }
    #expect(throws: FileError.self) { try RecordingsFolder("/") }
    #expect(throws: FileError.self) { try RecordingsFolder("relative") }
    #expect(throws: FileError.self) { try RecordingsFolder("/tmp/..") }
    let place = try Place()
    try FileManager.default.createDirectory(atPath: place.folder, withIntermediateDirectories: true)
    #expect(try RecordingsFolder(place.folder).isEmpty())
  }

  @Test("hundreds of folders are no obstacle")
  func manyFolders() throws {
    let place = try Place()
    for number in 0..<300 {
      try FileManager.default.createDirectory(atPath: "\(place.folder)/\(number)", withIntermediateDirectories: true)
      try Data("12345".utf8).write(to: URL(fileURLWithPath: "\(place.folder)/\(number)/a.wav"))
    }
    let recordings = try RecordingsFolder(place.folder)
    for number in 0..<300 {
      #expect(try recordings.remove(Array("\(place.folder)/\(number)/a.wav".utf8)) == .removed(bytes: 5))
    }
    try recordings.sync()
    #expect(place.all.count { $0.hasSuffix("/a.wav") } == 1)
  }
}
