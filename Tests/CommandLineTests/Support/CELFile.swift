import Foundation

/// A CSV file of CELs, written event by event.
struct CELFile {
  static let header =
    "id,eventtype,eventtime,cid_name,cid_num,exten,context,channame,appname,appdata,uniqueid,linkedid,peer,extra"

  private(set) var lines = [CELFile.header]
  private var id = 0

  /// Adds an event: column values by name; what is not given is empty, `extra` NULL.
  @discardableResult
  mutating func add(_ event: String, _ columns: [String: String] = [:]) -> Int {
    id += 1
    var values = [
      "id": "\(id)", "eventtype": event, "eventtime": String(format: "2026-03-02 10:%02d:%02d+00", id / 60 % 60, id % 60),
      "channame": "PJSIP/alice-00000001", "uniqueid": "1772445600.1", "linkedid": "1772445600.1", "exten": "1002",
      "context": "default",
      "cid_name": "Alice", "cid_num": "1001",
    ]
    values.merge(columns) { $1 }
    let fields = CELFile.header.split(separator: ",").map { name in
      values[String(name)].map { "\"" + $0.replacing("\"", with: "\"\"") + "\"" } ?? (name == "extra" ? "" : "\"\"")
    }
    lines.append(fields.joined(separator: ","))
    return id
  }

  /// Adds an answered call from Alice to Bob, with `extra` events between its beginning and its
  /// end.
  mutating func addCall(_ linkedid: String = "1772445600.1", ended: Bool = true, also extra: (inout CELFile) -> Void = { _ in }) {
    let alice = ["uniqueid": linkedid, "linkedid": linkedid]
    let bob = [
      "uniqueid": linkedid + "9", "linkedid": linkedid, "channame": "PJSIP/bob-00000002", "cid_name": "Bob", "cid_num": "1002",
      "exten": "s",
    ]
    add("CHAN_START", alice)
    add("APP_START", alice.merging(["appname": "Dial"]) { $1 })
    add("CHAN_START", bob)
    extra(&self)
    add("ANSWER", bob)
    add("ANSWER", alice)
    add("BRIDGE_ENTER", bob)
    add("BRIDGE_ENTER", alice)
    add("HANGUP", bob)
    add("CHAN_END", bob)
    add("HANGUP", alice)
    add("CHAN_END", alice)
    if ended { add("LINKEDID_END", alice) }
  }

  var text: String { lines.joined(separator: "\n") + "\n" }
  var data: Data { Data(text.utf8) }

  /// One answered call.
  static var oneCall: CELFile {
    var file = CELFile()
    file.addCall()
    return file
  }

  /// The file as a COPY statement with its data.
  var copy: String {
    // Columns of Wazo's that must not be NULL and that no call log is made of.
    let rest = "userdeftype,cid_ani,cid_rdnis,cid_dnid,amaflags,accountcode,peeraccount,userfield"
    let rows = lines.dropFirst().map { $0 + ",\"\",\"\",\"\",\"\",3,\"\",\"\",\"\"" }
    return CELFile.copy(([CELFile.header + "," + rest] + rows).joined(separator: "\n") + "\n")
  }

  static func copy(_ csv: String) -> String {
    "COPY cel (\(csv.prefix { $0 != "\n" })) FROM STDIN (FORMAT csv, HEADER);\n\(csv)\\.\n"
  }
}
