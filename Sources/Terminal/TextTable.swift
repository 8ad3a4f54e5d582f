/// A table of text in aligned columns.
package struct TextTable {
  private var rows: [[String]] = []
  private let right: Set<Int>

  /// A table with these headings. The columns in `right` are aligned right.
  package init(_ headings: [String], right: Set<Int> = []) {
    rows = [headings]
    self.right = right
  }

  /// Adds a row. It has as many cells as there are headings.
  package mutating func add(_ row: [String]) { rows.append(row) }

  /// The lines of the table, as narrow as its content allows. Cells longer than `limit` characters
  /// are cut.
  package func lines(limit: Int = 40) -> [String] {
    let cells = rows.map { row in row.map { $0.count > limit ? $0.prefix(limit - 1) + "…" : $0 } }
    let widths = (cells.first ?? []).indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
    return cells.enumerated().map { index, row in
      let line = row.enumerated().map { column, cell in
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        return right.contains(column) ? padding + cell : cell + padding
      }.joined(separator: "  ")
      return index == 0 && Console.isOutputTerminal
        ? "\u{1B}[1m\(line)\u{1B}[0m" : String(line.reversed().drop { $0 == " " }.reversed())
    }
  }
}
