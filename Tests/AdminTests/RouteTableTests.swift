import NIOHTTP1
import Testing

@testable import Admin

@Suite struct RouteTableTests {
  private let table = RouteTable([
    AdminRoute(.GET, "/a/{name}") { request in .now(.text(request.parameters["name"] ?? "")) },
    AdminRoute(.POST, "/a/{name}/b") { request in .now(.text(request.parameters["name"] ?? "")) },
    AdminRoute(.PUT, "/a/{name}") { _ in .now(.text("put")) },
  ])

  private func answer(_ method: HTTPMethod, _ uri: String) throws(AdminError) -> String? {
    let head = HTTPRequestHead(version: .http1_1, method: method, uri: uri)
    guard case .now(let response) = try table.answer(AdminRequest(head)) else { return nil }
    return String(decoding: response.content, as: UTF8.self)
  }

  @Test func aSegmentInBracesIsAnyOneSegment() throws {
    #expect(try answer(.GET, "/a/x") == "x")
    #expect(try answer(.GET, "/a/x%2Fy%20z?query") == "x/y z")
    #expect(try answer(.POST, "/a/x/b") == "x")
    #expect(try answer(.HEAD, "/a/x") == "x")
    #expect(throws: AdminError.noRoute("/a/")) { try answer(.GET, "/a/") }
    #expect(throws: AdminError.noRoute("/a/x/y")) { try answer(.GET, "/a/x/y") }
    #expect(throws: AdminError.noRoute("/a/%")) { try answer(.GET, "/a/%") }
  }

  @Test func aWrongMethodIsToldAllThatArePossible() {
    #expect(throws: AdminError.wrongMethod("DELETE", allowed: ["GET", "HEAD", "PUT"])) { try answer(.DELETE, "/a/x") }
  }

  @Test func aTableMayServeOneRouteOnly() {
    #expect(table.only("/a/{name}").routes.map(\.method) == [.GET, .PUT])
  }
}
