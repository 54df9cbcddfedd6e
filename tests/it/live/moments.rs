//! A snapshot agrees with other sources about the same moment.

use std::collections::BTreeMap;

use whatcart::base::seed::Seed;
use whatcart::base::time::{Instant, Span};
use whatcart::base::{ClientId, Items, ServerState, UserId};
use whatcart::history::Event;
use whatcart::live::Session;
use whatcart::operations::faults::of_run;
use whatcart::scenario::{DesignNumber, Loaded, Variant};
use whatcart::sim::snapshot::{Doing, Holder, Memory, MemoryCounts, Phase, Snapshot, Spot};

use crate::support::for_all;
use crate::support::worlds::{any_world, show};

use super::reader::Reader;
use super::{everything, named, open};

/// Irregular moments of a run, at which much is in progress.
fn moments(session: &Session) -> impl Iterator<Item = Instant> + use<> {
    let step = session.end().as_nanos() / 67;
    (1..67).map(move |i| Instant::from_nanos(i * step + i * i * 123_457))
}

/// Designs with long queues, at servers and for the store.
fn crowded() -> impl Iterator<Item = (Loaded, usize)> {
    let crowd = ["users.count=300", "servers.workers=1", "store.connections=1", "store.latency.exponential=\"8ms\""];
    let loaded = named("shared-cart", &crowd);
    (0..loaded.variants.len()).map(move |design| (loaded.clone(), design))
}

/// Compares workers, queues and requests with the view.
fn compare_with_view(session: &Session, shown: &Snapshot, what: &str) {
    let view = session.view();
    assert_eq!((shown.now, shown.open_visits), (view.now, view.open_visits), "{what}");
    assert_eq!(shown.awaited, view.awaited, "{what}");
    assert_eq!(shown.requests.iter().filter(|request| request.awaited).count() as u64, view.awaited, "{what}");
    assert_eq!(shown.servers.len(), view.servers.len(), "{what}");
    let mut placed = vec![0; shown.requests.len()];
    for (server, seen) in shown.servers.iter().zip(&view.servers) {
        let busy = server.workers.iter().flatten().count();
        assert_eq!((server.id, server.state, server.eligible), (seen.id, seen.state, seen.believed_up), "{what}");
        assert_eq!((busy, server.queue.len()), (seen.busy_workers as usize, seen.queued as usize), "{what}");
        assert_eq!(server.in_flight, seen.in_flight, "{what}");
        for index in server.workers.iter().flatten() {
            placed[*index as usize] += 1;
            let request = &shown.requests[*index as usize];
            let works = matches!(request.phase, Phase::Working | Phase::CallingStore | Phase::WaitingForStore);
            assert!(works && request.from == Spot::Server(server.id), "{what}: {request:?}");
        }
        for index in &server.queue {
            placed[*index as usize] += 1;
            let request = &shown.requests[*index as usize];
            assert_eq!((request.phase, request.to), (Phase::Queued, Spot::Server(server.id)), "{what}");
        }
        if matches!(server.state, ServerState::Down | ServerState::Retired) {
            let left = MemoryCounts { files: server.memory.files, ..MemoryCounts::default() };
            assert_eq!((server.memory, busy), (left, 0), "{what}: the dead remember nothing");
        }
    }
    for (request, times) in shown.requests.iter().zip(placed) {
        let inside =
            matches!(request.phase, Phase::Working | Phase::CallingStore | Phase::WaitingForStore | Phase::Queued);
        assert_eq!(times, u32::from(inside), "{what}: {request:?}");
        assert!(request.sent <= request.since && request.since <= shown.now, "{what}: {request:?}");
        assert!(request.until.is_none_or(|until| until >= shown.now), "{what}: {request:?}");
        let waits = shown.clients[request.visit.client.index()].doing;
        assert!(!request.awaited || matches!(waits, Doing::Waiting { since } if since <= request.sent), "{what}");
    }
    assert!(shown.store.line.iter().all(|at| shown.requests[*at as usize].phase == Phase::WaitingForStore), "{what}");
    let waiting = shown.requests.iter().filter(|request| request.phase == Phase::WaitingForStore).count();
    assert_eq!(shown.store.line.len(), waiting, "{what}");
}

/// Every client is somewhere, and every client will do something.
fn compare_clients(shown: &Snapshot, what: &str) {
    let at_home = |doing: Doing| matches!(doing, Doing::Away { .. });
    let inside = shown.clients.iter().filter(|client| !at_home(client.doing)).count();
    assert_eq!(inside as u64, shown.open_visits, "{what}");
    for client in &shown.clients {
        let acts = match client.doing {
            Doing::Away { until } => until.is_none_or(|until| until > shown.now),
            Doing::Thinking { until } | Doing::Pausing { until } => until > shown.now && until < Instant::NEVER,
            Doing::Waiting { since } => since <= shown.now,
        };
        assert!(acts, "{what}: {client:?}");
        assert!(client.exists.minus(client.cart).is_empty(), "{what}: {client:?}");
        assert!(!client.whole || client.exists == client.cart, "{what}: {client:?}");
    }
    let carts = shown.carts;
    assert_eq!(carts.believed, carts.whole + carts.split + carts.gone, "{what}");
    let believed = shown.clients.iter().filter(|client| !client.cart.is_empty()).count();
    assert_eq!(carts.believed as usize, believed, "{what}");
}

/// The counts agree with the full memory, for all holders together and for each.
fn compare_memory(session: &Session, shown: &Snapshot, memory: &Memory, what: &str) {
    let mut counts: BTreeMap<Holder, MemoryCounts> = BTreeMap::new();
    for cart in &memory.carts {
        let of = counts.entry(cart.holder).or_default();
        of.carts += 1;
        of.items += cart.items.len();
        assert_eq!(cart.believed, shown.clients[cart.visit.client.index()].cart, "{what}");
    }
    for login in &memory.logins {
        counts.entry(login.holder).or_default().logins += 1;
    }
    for held in &memory.files {
        counts.entry(held.holder).or_default().files += held.files.len();
    }
    let mut one = Memory::default();
    for server in &shown.servers {
        let holder = Holder::Server(server.id);
        assert_eq!(server.memory, counts.get(&holder).copied().unwrap_or_default(), "{what}: {}", server.id);
        session.memory_of(holder, &mut one);
        let of = |held: &Memory| held.carts.iter().filter(|cart| cart.holder == holder).copied().collect::<Vec<_>>();
        assert_eq!((of(&one), one.carts.len()), (of(memory), of(memory).len()), "{what}");
    }
    let replicas: u32 = shown.store.replicas.iter().map(|replica| replica.carts).sum();
    let store = counts.get(&Holder::Store).map_or(0, |counts| counts.carts);
    assert_eq!(shown.store.memory.carts, store + replicas, "{what}");
    assert_eq!(shown.tokens, counts.get(&Holder::Token).copied().unwrap_or_default(), "{what}");
    let objects = counts.get(&Holder::Objects).map_or(0, |counts| u64::from(counts.files));
    assert_eq!(shown.store.objects, objects, "{what}");
}

/// Compares the non-empty carts with those of the reader.
fn compare_with_reader(reader: &Reader, shown: &Snapshot, memory: &Memory, what: &str) {
    let there: BTreeMap<(ClientId, Holder), Items> =
        memory.carts.iter().map(|cart| ((cart.visit.client, cart.holder), cart.items)).collect();
    let mut read = reader.held.clone();
    read.retain(|_, items| !items.is_empty());
    assert_eq!(there, read, "{what}: carts");
    for client in &shown.clients {
        let believed = reader.believed.get(&client.client).copied().unwrap_or_default();
        assert_eq!(client.cart, believed, "{what}: {client:?}");
        let open = reader.open.get(&client.client).map(|visit| (visit.user, visit.number));
        let inside = !matches!(client.doing, Doing::Away { .. });
        assert_eq!(open, inside.then_some((client.user, client.visit)), "{what}: {client:?}");
    }
    let visited = shown.clients.iter().filter(|client| client.visit > 0);
    assert!(visited.map(|client| client.user).all(|user| reader.users.contains(&user)), "{what}");
}

#[test]
fn a_snapshot_shows_what_is_there() {
    let (mut shown, mut memory) = (Snapshot::default(), Memory::default());
    let (mut phases, mut read, mut carts, mut split, mut gone) = (BTreeMap::new(), 0, 0, 0, 0);
    for (loaded, design) in everything().chain(crowded()) {
        let mut session = open(&loaded, design);
        let mut reader = Reader::of(session.scenario(), &of_run(session.scenario(), session.seed()));
        read += usize::from(reader.is_some());
        for moment in moments(&session) {
            let mut events = Vec::<Event>::new();
            session.advance_telling(moment, &mut events).expect("it goes on");
            let what = format!("{}, {}, at {:?}", loaded.name, loaded.variants[design].name, session.now());
            session.snapshot(&mut shown);
            session.memory(&mut memory);
            compare_with_view(&session, &shown, &what);
            compare_clients(&shown, &what);
            compare_memory(&session, &shown, &memory, &what);
            if let Some(reader) = &mut reader {
                for event in &events {
                    reader.read(event);
                }
                compare_with_reader(reader, &shown, &memory, &what);
            }
            shown.requests.iter().for_each(|request| *phases.entry(request.phase).or_insert(0) += 1);
            carts += memory.carts.len();
            split += shown.carts.split;
            gone += shown.carts.gone;
        }
    }
    assert!(read > 40 && carts > 10_000 && split > 100 && gone > 100, "{read} {carts} {split} {gone}");
    let rare = [Phase::Routing, Phase::Failing];
    let all = [
        Phase::Connecting,
        Phase::Travelling,
        Phase::Returning,
        Phase::Queued,
        Phase::Working,
        Phase::CallingStore,
        Phase::WaitingForStore,
        Phase::Swallowed,
    ];
    assert!(all.iter().all(|phase| phases.contains_key(phase)), "{phases:?}");
    assert!(!phases.contains_key(&rare[0]), "the balancer takes no time: {phases:?}");
}

/// The same in random scenarios; and after a rewind a moment shows the same.
#[test]
fn random_worlds_show_what_is_there() {
    for_all(60, &any_world(), show, |world| {
        let (mut shown, mut again, mut memory) = (Snapshot::default(), Snapshot::default(), Memory::default());
        let variant = Variant { number: DesignNumber::of(1), name: "any".into(), scenario: world.clone() };
        let mut session = Session::begin(variant, Seed(world.seed.get()), UserId(1));
        let mut reader = Reader::of(world, &of_run(world, session.seed()));
        for i in 1..50 {
            let moment = Instant::from_nanos(i * 333_333_333);
            let mut events = Vec::<Event>::new();
            session.advance_telling(moment.min(session.end()), &mut events).map_err(|error| error.to_string())?;
            session.snapshot(&mut shown);
            session.memory(&mut memory);
            compare_with_view(&session, &shown, "any world");
            compare_clients(&shown, "any world");
            compare_memory(&session, &shown, &memory, "any world");
            if let Some(reader) = &mut reader {
                for event in &events {
                    reader.read(event);
                }
                compare_with_reader(reader, &shown, &memory, "any world");
            }
            if i % 7 == 0 {
                let (now, figures) = (session.now(), session.figures());
                session.rewind(Instant::from_nanos(now.as_nanos() / 3)).map_err(|error| error.to_string())?;
                session.advance(now).map_err(|error| error.to_string())?;
                session.snapshot(&mut again);
                if shown != again || figures != session.figures() {
                    return Err(format!("another past of {now:?}"));
                }
            }
        }
        Ok(())
    });
}

/// A phase with a known end ends then, unless something breaks.
#[test]
fn what_will_happen_happens_then() {
    let mut ended = 0;
    for (loaded, design) in everything().filter(|(loaded, _)| ["regions", "shared-cart"].contains(&&*loaded.name)) {
        let mut session = open(&loaded, design);
        session.advance(Instant::ZERO + Span::from_secs(20)).expect("it goes on");
        let (mut before, mut after) = (Snapshot::default(), Snapshot::default());
        for _ in 0..200 {
            session.snapshot(&mut before);
            let first = before.requests.iter().filter_map(|request| request.until).min();
            let wakes = before.clients.iter().filter_map(|client| match client.doing {
                Doing::Thinking { until } | Doing::Pausing { until } => Some(until),
                Doing::Away { until } => until,
                Doing::Waiting { .. } => None,
            });
            let Some(next) = wakes.chain(first).min() else { break };
            // Nothing changes until then, and then something does.
            session.advance(Instant::from_nanos(next.as_nanos() - 1)).expect("it goes on");
            session.snapshot(&mut after);
            let same = |a: &Snapshot, b: &Snapshot| (a.requests == b.requests, a.clients == b.clients);
            assert_eq!(same(&before, &after), (true, true), "{} at {next:?}", loaded.name);
            session.advance(next).expect("it goes on");
            session.snapshot(&mut after);
            assert_ne!(same(&before, &after), (true, true), "{} at {next:?}", loaded.name);
            ended += 1;
        }
    }
    assert!(ended > 500, "{ended}");
}

/// After the first few snapshots nothing more is allocated.
#[test]
fn buffers_are_used_again() {
    for (loaded, design) in everything().filter(|(loaded, _)| ["store-outage", "uploads"].contains(&&*loaded.name)) {
        let mut session = open(&loaded, design);
        session.advance(session.end()).expect("it goes on");
        let (mut shown, mut memory) = (Snapshot::default(), Memory::default());
        let buffers = |shown: &Snapshot, memory: &Memory| {
            let servers = shown.servers.iter().flat_map(|server| {
                [server.workers.as_ptr().addr(), server.queue.capacity(), server.workers.capacity()]
            });
            let lists = [
                shown.requests.as_ptr().addr(),
                shown.clients.as_ptr().addr(),
                shown.servers.as_ptr().addr(),
                shown.store.line.capacity(),
                memory.carts.as_ptr().addr(),
                memory.logins.as_ptr().addr(),
                memory.files.as_ptr().addr(),
            ];
            lists.into_iter().chain(servers).collect::<Vec<_>>()
        };
        let mut tour = |session: &mut Session| {
            for second in (1..120).step_by(3) {
                session.seek(Instant::ZERO + Span::from_secs(second)).expect("it is within the run");
                session.snapshot(&mut shown);
                session.memory(&mut memory);
            }
            buffers(&shown, &memory)
        };
        let first = tour(&mut session);
        assert_eq!(tour(&mut session), first, "{}", loaded.name);
    }
}
