//! Short names for building scenarios: random ones, and the fixed ones of tests.

use whatcart::base::time::{Instant, Span};
use whatcart::scenario::{
    Comeback, Dist, Fault, FaultKind, PolicyName, Positive, RegionRouting, RegionServers, Regions, Scenario, Share,
    StoreFault, Time,
};

pub fn ms(millis: u64) -> Span {
    Span::from_millis(millis)
}

pub fn at_ms(millis: u64) -> Instant {
    Instant::ZERO + ms(millis)
}

pub fn time<const MIN: u64, const MAX: u64>(millis: u64) -> Time<MIN, MAX> {
    Time::of(ms(millis))
}

pub fn exponential(micros: u64) -> Dist {
    Dist::Exponential(Time::of(Span::from_nanos(micros * 1_000)))
}

pub fn constant(millis: u64) -> Dist {
    Dist::Constant(time(millis))
}

/// All policies.
pub const EVERY_POLICY: [PolicyName; 10] = {
    use PolicyName::{
        IpHash, LeastRequests, Maglev, PeakEwma, PowerOfTwo, Random, Rendezvous, RingHash, RoundRobin,
        WeightedRoundRobin,
    };
    [RoundRobin, WeightedRoundRobin, Random, LeastRequests, PowerOfTwo, PeakEwma, IpHash, RingHash, Rendezvous, Maglev]
};

/// A number above 0, such as a rate for an open loop.
pub fn rate(per_second: f64) -> Positive {
    serde_json::from_str(&format!("{per_second:?}")).expect("a rate above 0")
}

/// A fault of the default scenario: `verb` as in the file or, for the store, the kind of failure.
pub fn fault(verb: &str, server: u64, at: u64, back_after: Option<u64>) -> Fault {
    let server = format!("server-{server}");
    let lasting = back_after.map(Span::from_millis);
    let comeback = lasting.map(|after| Comeback { after, new_host: true });
    let store = |how| FaultKind::Store { how, lasting, forgets: None };
    let kind = match verb {
        "crash" => FaultKind::Crash { server, comeback },
        "restart" => FaultKind::Restart { server, boot: None },
        "replace" => FaultKind::Replace { server, boot: None },
        "revive" => FaultKind::Revive { server },
        "vanish" => FaultKind::Vanish { server, comeback },
        "slow" => FaultKind::Slow { server, factor: 7, lasting },
        "isolate" => FaultKind::Isolate { server, lasting },
        "failing" => FaultKind::Failing { server, billionths: Share::ALL, lasting },
        "outage" => store(StoreFault::Outage),
        "failover" => store(StoreFault::Failover),
        "store restart" => store(StoreFault::Restart),
        other => panic!("no fault is called {other}"),
    };
    that(kind, at)
}

/// A fault without a name.
pub fn that(kind: FaultKind<String, String>, at: u64) -> Fault {
    Fault { name: None, at: time(at), kind: Ok(kind) }
}

/// An outage of a region of the default scenario.
pub fn region_outage(region: &str, at: u64, lasting: Option<u64>) -> Fault {
    that(FaultKind::RegionOutage { region: region.to_owned(), lasting: lasting.map(Span::from_millis) }, at)
}

/// A share from 0 to 1.
pub fn share(of_all: f64) -> Share {
    serde_json::from_str(&format!("{of_all:?}")).expect("a share")
}

/// Three regions, 80, 160 and 240 ms apart.
pub fn three_regions() -> Regions {
    let ways = [("us-eu", 80), ("us-asia", 160), ("eu-asia", 240)];
    Regions {
        names: ["us", "eu", "asia"].map(String::from).into(),
        users: [("us", 0.4), ("eu", 0.4), ("asia", 0.2)].map(|(name, x)| (name.to_owned(), share(x))).into(),
        servers: RegionServers::Evenly,
        store: None,
        round_trip: ways.map(|(pair, ms)| (pair.to_owned(), time(ms))).into(),
        last_mile: time(10),
        routing: RegionRouting::Nearest,
        travellers: share(0.0),
    }
}

/// The end of a run, by which everybody has left.
pub fn end(scenario: &Scenario) -> Instant {
    Instant::ZERO + scenario.duration.get() + scenario.closing.get()
}

/// The relevant parts of a scenario, for the message of a failed test.
pub fn show(scenario: &Scenario) -> String {
    let Scenario {
        seed,
        duration,
        users,
        servers,
        balancer,
        homes,
        store,
        tokens,
        faults,
        random_faults,
        autoscaler,
        ..
    } = scenario;
    let parts = format!("{users:#?}\n{servers:#?}\n{balancer:#?}\n{homes:#?}\n{store:#?}\n{tokens:#?}\n{faults:#?}");
    let parts = format!("{parts}\n{random_faults:#?}\n{autoscaler:#?}");
    let parts = format!("{parts}\n{:#?}\n{:#?}", scenario.regions, scenario.serverless);
    let (replication, migration) = (&scenario.replication, &scenario.migration);
    let parts = format!("{parts}\n{replication:#?}\n{migration:#?}");
    format!("seed {} for {}\n{parts}", seed.get(), duration.get())
}
