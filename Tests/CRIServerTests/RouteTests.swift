import HTTP2
import PluginsManager
import Testing

@testable import CRIServer

@Suite struct RouteTests {
  private func route(_ path: String) -> Route { Route(of: HeaderBlock([(":method", "POST"), (":path", path)])) }

  @Test(arguments: Verb.allCases, CRIVersion.allCases)
  func everyLifeCycleVerbIsKnownInBothVersions(verb: Verb, version: CRIVersion) {
    let route = self.route("/\(version.rawValue).RuntimeService/\(verb.rawValue)")
    #expect(route.verb == verb)
    #expect(route.version == version)
    #expect(!route.isImageService)
  }

  @Test(arguments: [
    "/runtime.v1.RuntimeService/Version", "/runtime.v1.ImageService/RunPodSandbox",
    "/runtime.v2.RuntimeService/RunPodSandbox", "/RuntimeService/RunPodSandbox", "/a/b/c", "", "/", "RunPodSandbox",
    "/runtime.v1.RuntimeService/RunPodSandbox/", "/runtime.v1.RuntimeService/runpodsandbox",
  ])
  func everythingElseIsRelayed(path: String) {
    #expect(route(path).verb == nil)
  }

  @Test(arguments: ["runtime.v1", "runtime.v1alpha2"])
  func imagesHaveAServiceOfTheirOwn(api: String) {
    #expect(route("/\(api).ImageService/PullImage").isImageService)
    #expect(!route("/\(api).ImageServiceX/PullImage").isImageService)
  }

  @Test func onlyTheEventStreamIsEndless() {
    #expect(route("/runtime.v1.RuntimeService/GetContainerEvents").isEndless)
    #expect(!route("/runtime.v1.RuntimeService/StreamContainers").isEndless)
  }

  @Test func everyHookPointHangsOnOneVerb() {
    let points = Verb.allCases.flatMap(\.hookPoints)
    #expect(Set(points) == Set(HookPoint.allCases))
    #expect(points.count == HookPoint.allCases.count)
  }
}
