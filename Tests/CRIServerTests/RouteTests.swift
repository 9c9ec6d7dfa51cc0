import PluginsManager
import Testing

@testable import CRIServer

@Suite struct RouteTests {
  @Test(arguments: Verb.allCases, ["runtime.v1", "runtime.v1alpha2"])
  func everyLifeCycleVerbIsKnownInBothVersions(verb: Verb, api: String) {
    let route = Route(path: "/\(api).RuntimeService/\(verb.rawValue)")
    #expect(route.verb == verb)
    #expect(route.api == api)
    #expect(!route.isImageService)
  }

  @Test(arguments: [
    "/runtime.v1.RuntimeService/Version", "/runtime.v1.ImageService/RunPodSandbox",
    "/runtime.v2.RuntimeService/RunPodSandbox", "/RuntimeService/RunPodSandbox", "/a/b/c", "", "/", "RunPodSandbox",
    "/runtime.v1.RuntimeService/RunPodSandbox/", "/runtime.v1.RuntimeService/runpodsandbox",
  ])
  func everythingElseIsRelayed(path: String) {
    #expect(Route(path: path).verb == nil)
  }

  @Test(arguments: ["runtime.v1", "runtime.v1alpha2"])
  func imagesHaveAServiceOfTheirOwn(api: String) {
    #expect(Route(path: "/\(api).ImageService/PullImage").isImageService)
    #expect(!Route(path: "/\(api).ImageServiceX/PullImage").isImageService)
  }

  @Test func onlyTheEventStreamIsEndless() {
    #expect(Route(path: "/runtime.v1.RuntimeService/GetContainerEvents").isEndless)
    #expect(!Route(path: "/runtime.v1.RuntimeService/StreamContainers").isEndless)
  }

  @Test func everyHookPointHangsOnOneVerb() {
    let points = Verb.allCases.flatMap(\.hookPoints)
    #expect(Set(points) == Set(HookPoint.allCases))
    #expect(points.count == HookPoint.allCases.count)
  }
}
