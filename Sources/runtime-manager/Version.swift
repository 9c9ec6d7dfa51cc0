/// The version of the binary, of its package, of its man page and of the topmost entry of the package's changelog.
///
/// Written here alone: `deploy/debian/build` reads this line.
let version = "0.2.0"
