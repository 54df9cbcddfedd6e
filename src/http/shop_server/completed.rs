//! The result of a request, and the response that tells it to the user.

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;

use super::answer::{Answer, cookie, error, json, of_refusal, refused, set_cookie};
use super::cart_effect::CartEffect;
use super::files::{FileEffect, FileOutcome};
use super::hidden;
use super::job::Job;
use crate::base::{Command, Refusal, Reply};
use crate::http::wire::{self, Body, Listed};
use crate::state::process_local::shows_form;

/// The result of a request.
pub struct Completed {
    /// The shop's reply.
    pub reply: Reply,
    /// Why the request was refused, if it was.
    pub refused: Option<Refusal>,
    /// Its effect on a cart.
    pub cart: Option<CartEffect>,
    /// Its effect on a file.
    pub file: Option<FileEffect>,
    /// The cookies that the response sets.
    pub cookies: Vec<String>,
    /// The bytes of state that the request and the response carry.
    pub carried: usize,
}

impl Completed {
    /// The response.
    pub fn answer(self, job: &Job) -> Answer {
        let mut answer = match self.refused {
            Some(refusal) => of_refusal(refusal),
            None => self.good(job),
        };
        let shown = shows_form(answer.status().is_server_error()).then(|| hidden::form(job)).flatten();
        if let Some(token) = shown.and_then(|token| HeaderValue::try_from(token).ok()) {
            answer.headers_mut().insert(wire::CSRF_TOKEN, token);
            answer = named(job, answer);
        }
        answer
    }

    fn good(self, job: &Job) -> Answer {
        let travels = self.file.is_some() || job.command.touches_cart();
        let body = self.body(job);
        let mut answer = self.file.map_or_else(|| json(StatusCode::OK, &body), |file| of_file(file.what));
        self.cookies.iter().for_each(|cookie| set_cookie(&mut answer, cookie));
        if travels { named(job, answer) } else { answer }
    }

    fn body(&self, job: &Job) -> Body {
        let mut body = Body::default();
        match self.reply {
            Reply::Cart(items) => body.cart = Some(Listed(items)),
            Reply::Charged(items) => body.charged = Some(Listed(items)),
            Reply::Page(version) => body.catalogue = Some(version),
            Reply::Done => body.cart = self.cart.as_ref().map(|cart| Listed(cart.held)),
        }
        if job.command == Command::Login {
            body.user = Some(job.request.name.clone());
        }
        body
    }
}

/// Gives a client without a cart id the id of its new cart, to be sent from now on.
fn named(job: &Job, mut answer: Answer) -> Answer {
    if job.request.cart.is_none() {
        set_cookie(&mut answer, &cookie(wire::VISIT, &job.cart.to_string()));
    }
    answer
}

fn of_file(what: FileOutcome) -> Answer {
    match what {
        FileOutcome::Stored => json(StatusCode::CREATED, &Body::default()),
        FileOutcome::NotFound => refused(StatusCode::NOT_FOUND, Refusal::NotFound, None),
        FileOutcome::Full => error(StatusCode::INSUFFICIENT_STORAGE, "the shop keeps no more files of guests", None),
        FileOutcome::Found(bytes) => {
            let mut answer = Response::new(Full::new(bytes));
            answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
            answer
        }
    }
}
