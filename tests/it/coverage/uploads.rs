//! Uploads: their home determines what a restart, a replacement and the balancer's choice do to them.

use whatcart::base::seed::Seed;
use whatcart::base::{Command, Step, UserId};
use whatcart::history::{Event, EventKind, Seen};
use whatcart::judging::observer::Observer;
use whatcart::results::{Figures, FileFigures, figures};
use whatcart::scenario::{Affinity, CookieLife, Fault, Objects, Scenario, UploadHome, Whole};
use whatcart::sim::Sim;

use super::base;
use crate::support::worlds::{constant, end, fault};

/// Users upload and fetch files, on the disk of whichever server a request reaches.
pub fn scattered() -> Scenario {
    use Step::{Browse, Download, Login, Upload};
    let mut scenario = base();
    scenario.users.journey = vec![Login, Upload, Browse, Download, Browse, Download].into();
    scenario.homes.upload = UploadHome::LocalDisk;
    scenario
}

/// The same with sticky users.
fn sticky(upload: UploadHome, faults: Vec<Fault>) -> Scenario {
    let mut scenario = scattered();
    scenario.homes.upload = upload;
    scenario.balancer.affinity = Affinity::Cookie(CookieLife::User);
    scenario.faults = faults;
    scenario
}

fn played(scenario: &Scenario) -> Figures {
    let mut sim = Sim::new(scenario, Seed(1));
    let mut observer = Observer::new(scenario, None, UserId(1));
    sim.advance(end(scenario), &mut observer);
    sim.audit(&mut observer);
    figures(&observer, scenario, crate::support::moment(&sim), sim.faults())
}

fn files(figures: &Figures) -> FileFigures {
    figures.files.clone().expect("somebody uploads")
}

#[test]
fn a_request_that_finds_its_disk_by_chance_finds_one_file_in_three() {
    let run = played(&scattered());
    let found = files(&run);
    let share = f64::from(u32::try_from(found.missing_downloads).expect("few"))
        / f64::from(u32::try_from(found.downloads).expect("few"));
    assert!((0.6..0.73).contains(&share), "{found:?}");
    assert_eq!((found.elsewhere, found.destroyed), (found.missing_downloads, 0), "nothing is gone");
    assert!(run.missing_files > 0 && run.missing_files <= found.uploaded);
    assert_eq!(run.requests.refused, found.missing_downloads);
    assert_eq!(run.visits.finished, run.visits.begun, "a user who misses a file goes on without it");
}

#[test]
fn one_server_misses_nothing() {
    for upload in [UploadHome::ServerMemory, UploadHome::LocalDisk, UploadHome::ObjectStore] {
        let mut scenario = scattered();
        scenario.homes.upload = upload;
        scenario.servers.count = Whole::of(1);
        let run = played(&scenario);
        assert_eq!((run.missing_files, files(&run).missing_downloads), (0, 0), "{upload:?}");
        assert!(files(&run).downloads > 500);
    }
}

#[test]
fn a_restart_keeps_the_disk_and_a_replacement_does_not() {
    let restart = || vec![fault("restart", 2, 30_000, None)];
    let replacement = || vec![fault("replace", 2, 30_000, None)];
    let gone = |upload, faults| files(&played(&sticky(upload, faults))).destroyed;
    assert_eq!(gone(UploadHome::LocalDisk, restart()), 0);
    assert!(gone(UploadHome::LocalDisk, replacement()) > 20);
    assert!(gone(UploadHome::ServerMemory, restart()) > 20);
    assert!(gone(UploadHome::ServerMemory, replacement()) > 20);
    assert_eq!(gone(UploadHome::ObjectStore, replacement()), 0);
}

/// A file is not lost if it is still on the disk of a server that is down.
#[test]
fn a_disk_outlives_a_server_that_is_down_at_the_end() {
    let run = played(&sticky(UploadHome::LocalDisk, vec![fault("crash", 2, 50_000, None)]));
    let found = files(&run);
    assert_eq!(found.destroyed, 0);
    assert!(found.missing_downloads > 0 && found.elsewhere == found.missing_downloads, "{found:?}");
}

#[test]
fn the_object_store_costs_a_call_and_time() {
    let mut scenario = scattered();
    scenario.homes.upload = UploadHome::ObjectStore;
    scenario.servers.service = constant(20);
    let price = |scenario: &Scenario| {
        let run = played(scenario);
        (run.price.object_calls_per_request.expect("somebody uploads"), run.latency_ms.expect("requests").max)
    };
    scenario.objects = Objects { latency: constant(0) };
    let (calls, quick) = price(&scenario);
    assert!((0.4..=0.5).contains(&calls), "{calls}: three of six requests, except for users without a file");
    scenario.objects = Objects { latency: constant(500) };
    let (same_calls, slow) = price(&scenario);
    assert!((0.4..=0.5).contains(&same_calls) && slow > quick + 400.0, "{slow} ms");
    scenario.homes.upload = UploadHome::LocalDisk;
    assert_eq!(price(&scenario).0.to_bits(), 0.0f64.to_bits());
}

/// Uploads are numbered across all visits, and a download asks for one that was acknowledged.
#[test]
fn users_fetch_what_they_have_uploaded() {
    let mut events: Vec<Event> = Vec::new();
    let scenario = scattered();
    Sim::new(&scenario, Seed(1)).advance(end(&scenario), &mut events);
    let asked = events.iter().filter_map(|event| match event.what {
        EventKind::Seen(visit, Seen::Sent(request)) if visit.user == UserId(7) => Some((visit.number, request.command)),
        _ => None,
    });
    let (mut uploaded, mut earlier) = (0, 0);
    for (number, command) in asked {
        match command {
            Command::Upload(file) => {
                uploaded += 1;
                assert_eq!(file.number(), uploaded);
                assert_eq!(u32::from(file.number()), number, "one a visit");
            }
            Command::Download(file) => {
                assert!(file.number() <= uploaded);
                earlier += u32::from(file.number() < uploaded);
            }
            _ => {}
        }
    }
    assert!(uploaded > 3 && earlier > 3, "{uploaded} uploads, {earlier} downloads of earlier visits' files");
}

#[test]
fn who_has_no_file_or_too_many_looks_around() {
    let mut scenario = scattered();
    scenario.users.journey = vec![Step::Download, Step::Upload].into();
    scenario.users.think = constant(10);
    scenario.users.count = Some(Whole::of(2));
    let mut events: Vec<Event> = Vec::new();
    Sim::new(&scenario, Seed(1)).advance(end(&scenario), &mut events);
    let sent: Vec<Command> = events
        .iter()
        .filter_map(|event| match event.what {
            EventKind::Seen(visit, Seen::Sent(request)) if visit.user == UserId(1) => Some(request.command),
            _ => None,
        })
        .collect();
    assert_eq!(sent[0], Command::Browse, "no file yet");
    assert_eq!(sent.iter().filter(|command| matches!(command, Command::Upload(_))).count(), 64);
    assert!(sent.iter().filter(|command| **command == Command::Browse).count() > 100, "all later uploads");
}
