//! Everything that can be drawn of one moment, as plain data.

use serde::Serialize;
use serde::ser::{SerializeTuple, Serializer};

use super::headline::Headline;
use super::moment::{Kept, Moment};
use super::size::{CARDS, SEATS, clients_per_seat};
use super::tally::Tally;
use super::units::{ItemSet, Place, RequestName, Seconds};
use super::words;
use crate::base::{Command, ServerState};
use crate::sim::snapshot::{ClientSnapshot, Doing, Holder, MemoryCounts, Phase, RequestSnapshot, ServerSnapshot, Spot};

/// One moment. With the events that follow it, it gives every picture until the next one.
#[derive(Debug, Serialize)]
pub struct Keyframe {
    t: Seconds,
    /// How many clients share a seat; with more than one, `crowd` and `shares` are given instead of `users` and `held`.
    clients_per_seat: usize,
    servers: Vec<ServerRow>,
    store: StoreRow,
    requests: Vec<RequestRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    users: Vec<UserRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    held: Vec<(Place, u32, ItemSet)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    crowd: Vec<SeatRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    shares: Vec<(Place, usize, u32)>,
    tally: Tally,
    headline: Headline,
}

/// One server as it is, and as the balancer believes it to be.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
pub struct ServerRow {
    id: u32,
    name: String,
    state: ServerState,
    believed: ServerState,
    /// Whether the balancer sends it users who are not bound to it.
    eligible: bool,
    /// Whether the balancer is wrong about it.
    wrong: bool,
    cut_off: bool,
    /// Whether its process is not the first under this name.
    new: bool,
    /// Which process runs on it: another number is another memory.
    process: u32,
    slow: u32,
    failing: u32,
    region: Option<u8>,
    leaves_by: Option<Seconds>,
    ready_at: Option<Seconds>,
    workers: usize,
    #[serde(flatten)]
    pub load: LoadRow,
}

/// What a server does and holds: what changes all the time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LoadRow {
    /// Workers that hold a request.
    busy: usize,
    queued: usize,
    in_flight: u32,
    carts: u32,
    logins: u32,
    files: u32,
    bound_users: u32,
    /// What to write under its name.
    words: String,
}

/// All servers.
pub fn server_rows(moment: &Moment) -> Vec<ServerRow> {
    let row = |server| ServerRow::of(server, moment.serverless, moment.kept);
    moment.snapshot.servers.iter().map(row).collect()
}

impl ServerRow {
    fn of(server: &ServerSnapshot, serverless: bool, kept: Kept) -> ServerRow {
        let MemoryCounts { carts, logins, files, .. } = server.memory;
        ServerRow {
            id: server.id.0,
            name: words::name(server.id, serverless),
            state: server.state,
            // A platform takes its own instances to be what they are.
            believed: if serverless { server.state } else { server.believed },
            eligible: server.eligible,
            wrong: !serverless && is_wrong(server),
            cut_off: server.cut_off,
            new: server.host > 1 || server.state == ServerState::Booting,
            process: server.process.0,
            slow: server.slow,
            failing: server.failing,
            region: server.region.map(|region| region.0),
            leaves_by: server.leaves_by.map(Seconds),
            ready_at: server.ready_at.map(Seconds),
            workers: server.workers.len(),
            load: LoadRow {
                busy: server.workers.iter().flatten().count(),
                queued: server.queue.len(),
                in_flight: server.in_flight,
                carts,
                logins,
                files,
                bound_users: server.bound_users,
                words: words::of_server(server, kept),
            },
        }
    }

    /// Whether another row differs from this one in its load at most.
    pub fn is_like(&self, other: &ServerRow) -> bool {
        ServerRow { load: self.load.clone(), ..other.clone() } == *self
    }
}

/// Whether requests are sent where nobody answers, or kept from where somebody would. From a server that leaves they are
/// kept on purpose. (A platform runs its instances itself, and knows them.)
fn is_wrong(server: &ServerSnapshot) -> bool {
    let serves = |state| matches!(state, ServerState::Up | ServerState::Draining);
    server.believed != ServerState::Terminating && serves(server.believed) != (serves(server.state) && !server.cut_off)
}

/// The shared store, and the object store.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StoreRow {
    down: bool,
    /// Calls in progress.
    calls: u32,
    free_connections: Option<u32>,
    /// Requests whose workers wait for a connection.
    line: usize,
    carts: u32,
    logins: u32,
    objects: u64,
    /// Carts in the users' own tokens.
    in_tokens: u32,
}

impl StoreRow {
    pub fn of(moment: &Moment) -> StoreRow {
        let store = &moment.snapshot.store;
        StoreRow {
            down: store.down,
            calls: store.calls,
            free_connections: store.free_connections,
            line: store.line.len(),
            carts: store.memory.carts,
            logins: store.memory.logins,
            objects: store.objects,
            in_tokens: moment.snapshot.tokens.carts,
        }
    }
}

/// A request under way.
#[derive(Debug, Serialize)]
struct RequestRow {
    id: RequestName,
    what: Command,
    sent: Seconds,
    awaited: bool,
    phase: Phase,
    from: SpotName,
    to: SpotName,
    since: Seconds,
    until: Option<Seconds>,
}

/// `user`, `balancer`, `store`, or a server by its index.
#[derive(Clone, Copy, Debug)]
struct SpotName(Spot);

impl Serialize for SpotName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Spot::User => serializer.serialize_str("user"),
            Spot::Balancer => serializer.serialize_str("balancer"),
            Spot::Server(server) => serializer.serialize_u32(server.0),
            Spot::Store => serializer.serialize_str("store"),
        }
    }
}

impl RequestRow {
    fn of(request: &RequestSnapshot) -> RequestRow {
        RequestRow {
            id: RequestName::new(request.visit, request.step, request.attempt),
            what: request.command,
            sent: Seconds(request.sent),
            awaited: request.awaited,
            phase: request.phase,
            from: SpotName(request.from),
            to: SpotName(request.to),
            since: Seconds(request.since),
            until: request.until.map(Seconds),
        }
    }
}

/// What a client does: `[client, user, tab, visit, step, doing, until, cart, exists, whole, server]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UserRow(pub ClientSnapshot);

impl Serialize for UserRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let UserRow(client) = self;
        let (doing, until) = doing(client.doing);
        let mut row = serializer.serialize_tuple(11)?;
        row.serialize_element(&client.client)?;
        row.serialize_element(&client.user)?;
        row.serialize_element(&client.tab)?;
        row.serialize_element(&client.visit)?;
        row.serialize_element(&client.step)?;
        row.serialize_element(doing)?;
        row.serialize_element(&until)?;
        row.serialize_element(&ItemSet(client.cart))?;
        row.serialize_element(&ItemSet(client.exists))?;
        row.serialize_element(&client.whole)?;
        row.serialize_element(&client.bound_to)?;
        row.end()
    }
}

/// What a client does, and until when if that is known. For a waiting one: since when.
fn doing(doing: Doing) -> (&'static str, Option<Seconds>) {
    match doing {
        Doing::Away { until } => ("away", until.map(Seconds)),
        Doing::Thinking { until } => ("thinking", Seconds::known(until)),
        Doing::Waiting { since } => ("waiting", Some(Seconds(since))),
        Doing::Pausing { until } => ("pausing", Seconds::known(until)),
    }
}

/// The clients of one seat: `[seat, in the shop, with a cart, whole, split, gone]`.
#[derive(Clone, Copy, Debug, Default, Serialize)]
struct SeatRow(usize, u32, u32, u32, u32, u32);

impl SeatRow {
    fn count(&mut self, client: &ClientSnapshot) {
        self.1 += u32::from(!matches!(client.doing, Doing::Away { .. }));
        if client.cart.is_empty() {
            return;
        }
        self.2 += 1;
        match (client.whole, client.exists == client.cart) {
            (true, _) => self.3 += 1,
            (false, true) => self.4 += 1,
            (false, false) => self.5 += 1,
        }
    }
}

impl Keyframe {
    pub fn of(moment: &Moment, tally: Tally, headline: Headline) -> Keyframe {
        let snapshot = &moment.snapshot;
        let per_seat = clients_per_seat(snapshot.clients.len());
        let single = per_seat == 1;
        Keyframe {
            t: Seconds(snapshot.now),
            clients_per_seat: per_seat,
            servers: server_rows(moment),
            store: StoreRow::of(moment),
            requests: if single { snapshot.requests.iter().map(RequestRow::of).collect() } else { Vec::new() },
            users: if single { snapshot.clients.iter().copied().map(UserRow).collect() } else { Vec::new() },
            held: if single {
                moment.held.iter().map(|(at, of, items)| (Place(*at), of.0, ItemSet(*items))).collect()
            } else {
                Vec::new()
            },
            crowd: if single { Vec::new() } else { crowd(&snapshot.clients, per_seat) },
            shares: if single { Vec::new() } else { shares(moment, per_seat) },
            tally,
            headline,
        }
    }
}

fn crowd(clients: &[ClientSnapshot], per_seat: usize) -> Vec<SeatRow> {
    let row = |(seat, clients): (usize, &[ClientSnapshot])| {
        let mut row = SeatRow(seat, 0, 0, 0, 0, 0);
        for client in clients {
            row.count(client);
        }
        row
    };
    clients.chunks(per_seat).enumerate().map(row).collect()
}

/// Place by place and seat by seat: how many carts, or parts of carts, are there.
fn shares(moment: &Moment, per_seat: usize) -> Vec<(Place, usize, u32)> {
    let mut counts = std::collections::BTreeMap::<(Holder, usize), u32>::new();
    let cards = moment.snapshot.servers.len() <= CARDS;
    for (holder, client, _) in &moment.held {
        // More servers than cards are a strip of cells, and their carts a number.
        if cards || !matches!(holder, Holder::Server(_)) {
            *counts.entry((*holder, client.index() / per_seat)).or_default() += 1;
        }
    }
    debug_assert!(counts.keys().all(|(_, seat)| *seat < SEATS), "there are no more seats");
    counts.into_iter().map(|((holder, seat), carts)| (Place(holder), seat, carts)).collect()
}
