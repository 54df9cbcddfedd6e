//! Scenarios whose uploads make no sense.

use super::errors::of;

#[test]
fn a_download_of_nothing() {
    insta::assert_snapshot!(of("users.journey = [\"login\", \"browse\", \"download\"]"), @r#"
    error: this journey downloads files and never uploads any
     --> t.toml:3:37
      |
    3 | users.journey = ["login", "browse", "download"]
      |                                     ^^^^^^^^^^
      |
      = help: put "upload" into the journey, anywhere: files outlive visits
    "#);
}

#[test]
fn sixty_five_uploads() {
    let told = of(&format!("users.journey = [{}\"browse\"]", "\"upload\", ".repeat(65)));
    assert!(told.contains("a user keeps at most 64 files; one visit of this journey uploads 65"), "{told}");
}
