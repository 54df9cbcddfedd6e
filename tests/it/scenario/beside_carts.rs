//! Scenarios with inconsistent uploads or hidden state.

use super::errors::of;

#[test]
fn a_download_of_nothing() {
    insta::assert_snapshot!(of("users.journey = [\"login\", \"browse\", \"download\"]"), @r#"
    error: this journey downloads files but never uploads any
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

#[test]
fn a_signing_key_and_nothing_to_sign() {
    insta::assert_snapshot!(of("servers.hidden = \"signing-key\"\nhomes.session = \"shared-store\""), @r#"
    error: a signing key signs logins, but in this scenario they are not signed
     --> t.toml:3:18
      |
    3 | servers.hidden = "signing-key"
      |                  ^^^^^^^^^^^^^
      |
      = help: set `homes.session = "signed-token"`, or hide something else
    "#);
    let nobody = of("servers.hidden = \"signing-key\"\nusers.journey = [\"add\", \"checkout\"]");
    assert!(nobody.contains("nobody logs in on this journey"), "{nobody}");
    let renewed = of("servers.hidden = \"signing-key\"\ntokens.refresh = true");
    assert!(renewed.contains("cannot be combined with early revocation"), "{renewed}");
}

#[test]
fn a_form_that_no_page_has_shown() {
    insta::assert_snapshot!(of("servers.hidden = \"csrf-token\"\nusers.journey = [\"add\", \"checkout\"]"), @r#"
    error: this journey posts a form before it has seen a page
     --> t.toml:3:18
      |
    3 | servers.hidden = "csrf-token"
      |                  ^^^^^^^^^^^^
      |
      = help: begin the journey with "login" or "browse"
    "#);
}

#[test]
fn a_limit_that_lets_nobody_in() {
    let told = of("hidden.rate.limit = 0");
    assert!(told.contains("a whole number from 1 to 1,000,000"), "{told}");
}
