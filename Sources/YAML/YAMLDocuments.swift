internal import CYAML

/// Reads YAML with libyaml, and JSON, which is YAML too.
package enum YAMLDocuments {
  /// Deeper texts are refused. A pod has about ten levels.
  package static let depthLimit = 64

  /// A text of more nodes is refused; an alias counts with all that it stands for, so that a short text cannot become
  /// a large one.
  package static let nodeLimit = 200_000

  /// All documents of a text; those without content, as between two `---`, are left out.
  ///
  /// - Parameter bytes: UTF-8, or UTF-16 with a byte order mark.
  package static func read(_ bytes: [UInt8]) throws(YAMLError) -> [YAMLNode] {
    var parser = yaml_parser_t()
    guard yaml_parser_initialize(&parser) == 1 else { throw YAMLError(line: 1, problem: "no memory to read it") }
    defer { yaml_parser_delete(&parser) }
    return try bytes.withUnsafeBufferPointer { text throws(YAMLError) in
      yaml_parser_set_input_string(&parser, text.baseAddress, text.count)
      return try documents(&parser)
    }
  }

  private static func documents(_ parser: inout yaml_parser_t) throws(YAMLError) -> [YAMLNode] {
    var roots: [YAMLNode] = []
    var nodesLeft = nodeLimit
    while true {
      var document = yaml_document_t()
      guard yaml_parser_load(&parser, &document) == 1 else { throw failure(of: parser) }
      defer { yaml_document_delete(&document) }
      guard let root = yaml_document_get_root_node(&document) else { return roots }
      var composer = Composer(document: document, nodesLeft: nodesLeft)
      let node = try composer.node(root.pointee, depth: 1)
      nodesLeft = composer.nodesLeft
      if !node.isNull { roots.append(node) }
    }
  }

  private static func failure(of parser: yaml_parser_t) -> YAMLError {
    let problem = parser.problem.map { String(cString: $0) } ?? "it cannot be read"
    let context = parser.context.map { " \(String(cString: $0))" } ?? ""
    // A problem of the encoding is told without a place.
    return YAMLError(line: Int(parser.problem_mark.line) + 1, problem: "is not YAML: \(problem)\(context)")
  }
}

/// Makes the tree of one document: libyaml keeps its nodes in a table, in which an alias is one more number.
private struct Composer {
  let document: yaml_document_t
  var nodesLeft: Int

  mutating func node(_ node: yaml_node_t, depth: Int) throws(YAMLError) -> YAMLNode {
    let line = Int(node.start_mark.line) + 1
    nodesLeft -= 1
    // An alias of something that it is a part of ends here, too.
    guard depth <= YAMLDocuments.depthLimit else {
      throw YAMLError(line: line, problem: "is nested more than \(YAMLDocuments.depthLimit) levels deep")
    }
    guard nodesLeft > 0 else { throw YAMLError(line: line, problem: "has more than \(YAMLDocuments.nodeLimit) values") }

    switch node.type {
    case YAML_MAPPING_NODE:
      let pairs = UnsafeBufferPointer(rebasing: from(node.data.mapping.pairs.start, to: node.data.mapping.pairs.top))
      var members: [YAMLNode.Member] = []
      for pair in pairs {
        members.append(
          YAMLNode.Member(
            key: try self.node(at: pair.key, depth: depth + 1), value: try self.node(at: pair.value, depth: depth + 1)))
      }
      return YAMLNode(.mapping(members), line: line)
    case YAML_SEQUENCE_NODE:
      let items = UnsafeBufferPointer(rebasing: from(node.data.sequence.items.start, to: node.data.sequence.items.top))
      var nodes: [YAMLNode] = []
      for item in items { nodes.append(try self.node(at: item, depth: depth + 1)) }
      return YAMLNode(.list(nodes), line: line)
    default:
      let text = String(
        decoding: UnsafeBufferPointer(start: node.data.scalar.value, count: node.data.scalar.length), as: UTF8.self)
      // libyaml calls a scalar without a tag a string.
      let isPlain =
        node.data.scalar.style == YAML_PLAIN_SCALAR_STYLE
        && node.tag.map { String(cString: $0) } == "tag:yaml.org,2002:str"
      return YAMLNode(.scalar(text, isPlain: isPlain), line: line)
    }
  }

  private mutating func node(at index: CInt, depth: Int) throws(YAMLError) -> YAMLNode {
    var document = document
    guard let node = yaml_document_get_node(&document, index) else {
      throw YAMLError(line: 1, problem: "is not YAML")
    }
    return try self.node(node.pointee, depth: depth)
  }

  /// libyaml's arrays are two addresses; those of an empty one may be none.
  private func from<Element>(
    _ start: UnsafeMutablePointer<Element>?, to top: UnsafeMutablePointer<Element>?
  ) -> Slice<UnsafeBufferPointer<Element>> {
    let count = start.flatMap { start in top.map { $0 - start } } ?? 0
    return UnsafeBufferPointer(start: start, count: count)[...]
  }
}
