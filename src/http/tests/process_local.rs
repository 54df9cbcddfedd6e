//! What servers hide from each other, as curl sees it.

use super::support::{Curl, Town, scenario};
use crate::scenario::HiddenState;

fn hiding(hidden: HiddenState) -> Town {
    let mut scenario = scenario(0);
    scenario.servers.hidden = hidden;
    Town::open(&scenario)
}

const ADD: (&str, &str) = ("POST /cart/items", r#"{"item":1}"#);

#[tokio::test]
async fn whose_form_is_this() {
    let town = hiding(HiddenState::CsrfToken);
    let mut curl = Curl::default();
    assert_eq!(curl.ask(town.door(0), ADD.0, ADD.1).await.0, 403, "nobody has shown a form yet");
    assert_eq!(curl.ask(town.door(0), ADD.0, ADD.1).await.0, 200, "but the refusal did");
    assert_eq!(curl.ask(town.door(1), ADD.0, ADD.1).await.0, 403, "that form is another server's");
    assert_eq!(curl.ask(town.door(1), ADD.0, ADD.1).await.0, 200);
    assert_eq!(curl.ask(town.door(0), "GET /", "").await.0, 200);
    assert_eq!(curl.ask(town.door(1), "POST /checkout", "").await.0, 403);
    let mut thief = Curl { form: curl.form.clone(), ..Curl::default() };
    assert_eq!(thief.ask(town.door(1), ADD.0, ADD.1).await.0, 403, "a token is good for its own visit");
    assert_eq!(curl.ask(town.door(1), "GET /cart", "").await.0, 200, "who only looks needs no form");
}

#[tokio::test]
async fn whose_signature_is_this() {
    let town = hiding(HiddenState::SigningKey);
    let mut curl = Curl::default();
    curl.ask(town.door(0), "POST /login", "").await;
    assert_eq!(curl.ask(town.door(0), "GET /", "").await.0, 200);
    assert_eq!(curl.ask(town.door(1), "GET /", "").await.0, 401);
}

#[tokio::test]
async fn a_catalogue_has_a_version() {
    let town = hiding(HiddenState::Cache);
    let mut curl = Curl::default();
    assert_eq!(curl.ask(town.door(0), "GET /", "").await, (200, r#"{"catalogue":1}"#.into()));
}

#[tokio::test]
async fn what_one_has_charged_the_other_charges_again() {
    for (hidden, again) in
        [(HiddenState::None, r#"{"charged":[1]}"#), (HiddenState::IdempotencyKey, r#"{"charged":[]}"#)]
    {
        let town = hiding(hidden);
        let mut curl = Curl { order: "first".into(), ..Curl::default() };
        curl.ask(town.door(0), ADD.0, ADD.1).await;
        assert_eq!(curl.ask(town.door(0), "POST /checkout", "").await.1, r#"{"charged":[1]}"#);
        assert_eq!(curl.ask(town.door(0), "POST /checkout", "").await.1, r#"{"charged":[1]}"#, "it knows that it did");
        assert_eq!(curl.ask(town.door(1), "POST /checkout", "").await.1, again, "{hidden:?}");
    }
}
