//! Random small scenarios over everything that a scenario can express.

mod drains;
mod elsewhere;
mod short;

use proptest::prelude::*;
use whatcart::base::Step;
use whatcart::scenario::Strategy as Rollout;
use whatcart::scenario::{
    Affinity, Autoscaler, Balancer, CartHome, CookieLife, Deploy, Dist, Fault, FaultKind, First, Forgets, HashOn,
    Health, Heavy, Hidden, HiddenState, Homes, How, Join, Journey, Migration, MigrationWay, Objects, Outlier,
    PinnedDown, Positive, RandomFaults, RateLimit, Replication, Scale, Scenario, Servers, SessionHome, Share, Store,
    StoreMemory, StoreUpdate, Tokens, UploadHome, Users, WhenFull, Whole,
};

pub use short::{
    EVERY_POLICY, at_ms, constant, end, exponential, fault, ms, rate, region_outage, share, show, that, three_regions,
    time,
};

use elsewhere::{in_regions, on_a_platform, regions, serverless};

/// Any small scenario; a run of it takes a few thousand events.
pub fn any_world() -> impl Strategy<Value = Scenario> {
    let faults = prop::collection::vec(any_fault(), 0..5);
    let beside = (store(), objects(), tokens(), autoscaler(), hidden(), (replication(), migration()));
    let world = (any::<u32>(), users(), servers(), cautious(), homes(), beside, faults).prop_map(
        |(
            seed,
            users,
            servers,
            balancer,
            homes,
            (store, objects, tokens, autoscaler, (kind, hidden), copies),
            faults,
        )| {
            let (replication, migration) = copies;
            Scenario {
                replication,
                migration: migration.filter(|_| {
                    let plain = store.update == StoreUpdate::Atomic && store.ttl.is_none() && store.memory.is_none();
                    let sound = !faults.iter().any(|fault| matches!(fault.kind, Ok(FaultKind::Store { .. })));
                    homes.cart == CartHome::ServerMemory && plain && sound && kind == HiddenState::None
                }),
                seed: Whole::of(u64::from(seed)),
                duration: time(6_000),
                closing: time(120_000),
                users,
                servers: Servers { hidden: kind, ..servers },
                hidden,
                balancer,
                homes,
                store,
                objects,
                tokens,
                faults,
                random_faults: random_faults(seed),
                autoscaler,
                ..Scenario::house()
            }
        },
    );
    let places = (prop::option::weighted(0.25, regions()), prop::option::weighted(0.15, serverless()));
    (world, places).prop_map(|(mut world, (regions, serverless))| {
        if regions.is_some() || serverless.is_some() {
            world.autoscaler = None;
            world.migration = None;
            world.faults.retain(|fault| !matches!(fault.kind, Ok(FaultKind::Isolate { .. })));
            if world.homes.cart == CartHome::ReplicatedMemory {
                world.homes.cart = CartHome::ServerMemory;
            }
            world.servers.hidden = HiddenState::None;
            world.faults.retain(|fault| !matches!(fault.kind, Ok(FaultKind::Deploy(_) | FaultKind::Scale(_))));
        }
        let world = match regions {
            None => world,
            Some((regions, dark)) => in_regions(world, regions, dark),
        };
        match serverless {
            None => world,
            Some(serverless) => on_a_platform(world, serverless),
        }
    })
}

fn dist(scale: u64) -> impl Strategy<Value = Dist> {
    let uniform = whatcart::scenario::Uniform { from: time(scale / 3), to: time(scale * 2) };
    prop_oneof![Just(constant(scale)), Just(exponential(scale * 1_000)), Just(Dist::Uniform(uniform))]
}

fn journey() -> impl Strategy<Value = Journey> {
    let middle = prop_oneof![
        1 => Just(Step::Browse),
        5 => Just(Step::Add),
        2 => Just(Step::Remove),
        3 => Just(Step::View),
        1 => Just(Step::ForgeSession),
        1 => Just(Step::Upload),
        1 => Just(Step::Download),
    ];
    let around = (any::<bool>(), prop::bool::weighted(0.9), any::<bool>(), 0usize..4);
    let joined = prop_oneof![2 => Just(0.0), 1 => Just(0.5)]
        .prop_flat_map(|share| prop::collection::vec(prop::bool::weighted(share), 10));
    (prop::collection::vec(middle, 1..9), around, joined).prop_map(
        |(middle, (login, checkout, look_back, logout), joined)| {
            let first = login.then_some(Step::Login);
            let last = [checkout.then_some(Step::Checkout), (checkout && look_back).then_some(Step::View)];
            let uploads = middle.contains(&Step::Upload);
            let middle = middle.into_iter().filter(|step| uploads || *step != Step::Download);
            let steps = first.into_iter().chain(middle).chain(last.into_iter().flatten());
            let goodbye = [Step::Logout, Step::ReplayToken, Step::ReplayToken];
            let moments = moments(steps.chain(goodbye.into_iter().take(if login { logout } else { 0 })), &joined);
            let mut journey = Journey::default();
            for moment in &moments {
                journey.push_at_once(moment);
            }
            journey
        },
    )
}

/// Groups steps into concurrent ones where that makes sense: no item is removed before it is in the cart, and no two
/// views are in flight at once (there the streaming checker may be more lenient than the naive one).
fn moments(steps: impl Iterator<Item = Step>, joined: &[bool]) -> Vec<Vec<Step>> {
    let count = |moment: &[Step], wanted| moment.iter().filter(|step| **step == wanted).count();
    let mut moments: Vec<Vec<Step>> = Vec::new();
    let mut inside = 0;
    for (i, step) in steps.enumerate() {
        let now = moments.last().map_or(&[][..], Vec::as_slice);
        let alone =
            |step: &Step| !matches!(step, Step::Browse | Step::Add | Step::Remove | Step::View | Step::Checkout);
        let fits = joined.get(i) == Some(&true)
            && !now.is_empty()
            && !alone(&step)
            && !now.iter().any(alone)
            && (step != Step::View || count(now, Step::View) == 0)
            && now.len() < 6;
        if !fits {
            inside = inside + count(now, Step::Add) - count(now, Step::Remove);
            moments.push(Vec::new());
        }
        let now = moments.last_mut().expect("just made sure");
        if step != Step::Remove || count(now, Step::Remove) < inside {
            now.push(step);
        }
    }
    moments.retain(|moment| !moment.is_empty());
    if moments.is_empty() { vec![vec![Step::Browse]] } else { moments }
}

fn heavy() -> impl Strategy<Value = Option<Heavy>> {
    prop::option::weighted(0.3, (1u64..5, 1u64..4, 1u64..4, 1u64..4)).prop_map(|heavy| {
        heavy.map(|(one_in, activity, cost, parallel)| Heavy {
            count: None,
            one_in: Some(Whole::of(one_in)),
            activity: Whole::of(activity),
            cost: Whole::of(cost),
            parallel: Whole::of(parallel),
        })
    })
}

fn users() -> impl Strategy<Value = Users> {
    let who = (1u64..25, prop::bool::weighted(0.2), journey(), heavy(), 1u64..4);
    let thinking = prop_oneof![Just(5u64), Just(40), Just(300)].prop_flat_map(dist);
    let nerves = (
        0u64..5,
        prop_oneof![Just(0u64), Just(50), Just(700)],
        prop_oneof![Just(5u64), Just(30), Just(200), Just(15_000)],
    );
    (who, thinking, nerves).prop_map(|((count, open, journey, heavy, nat), think, (patience, pause, timeout))| Users {
        count: (!open).then(|| Whole::of(count)),
        rate: open.then(|| rate(0.5 * f64::from(u32::try_from(count).expect("below 25")))),
        journey,
        think,
        ramp: None,
        patience: Whole::of(patience),
        pause: time(pause),
        timeout: time(timeout),
        nat: Whole::of(nat),
        heavy,
    })
}

fn servers() -> impl Strategy<Value = Servers> {
    let service = prop_oneof![Just(3u64), Just(20), Just(60)].prop_flat_map(dist);
    let weights = prop::collection::vec(1u64..4, 0..3);
    (1u64..5, 1u64..4, prop_oneof![Just(0u64), Just(2), Just(1_000)], service, weights, 10u64..4_000).prop_map(
        |(count, workers, queue, service, weights, boot)| Servers {
            count: Whole::of(count),
            workers: Whole::of(workers),
            queue: Whole::of(queue),
            service,
            hidden: HiddenState::None,
            weights: weights.into_iter().take(usize::try_from(count).expect("small")).map(Whole::of).collect(),
            boot: time(boot),
        },
    )
}

fn balancer() -> impl Strategy<Value = Balancer> {
    let policy = prop::sample::select(EVERY_POLICY.to_vec());
    let affinity = prop::sample::select(vec![
        Affinity::None,
        Affinity::Cookie(CookieLife::Visit),
        Affinity::Cookie(CookieLife::User),
        Affinity::Cookie(CookieLife::For(ms(400))),
    ]);
    let pinned_down = prop::sample::select(vec![PinnedDown::Redispatch, PinnedDown::Fail]);
    let hash_on = prop::sample::select(vec![HashOn::User, HashOn::Address]);
    let limits = (0u64..4, prop_oneof![Just(10u64), Just(5_000)], prop::option::weighted(0.3, 1.0f64..2.0));
    let health = (50u64..2_500, 10u64..2_500, 1u64..4, 1u64..4);
    (policy, affinity, pinned_down, hash_on, limits, health).prop_map(
        |(policy, affinity, pinned_down, hash_on, (retries, connect, bounded), (interval, timeout, fall, rise))| {
            Balancer {
                policy,
                affinity,
                pinned_down,
                hash_on,
                points: Whole::of(16),
                bounded_load: bounded.filter(|_| policy.hashes()).map(rate),
                retries: Whole::of(retries),
                connect_timeout: time(connect),
                health: Health {
                    interval: time(interval),
                    timeout: time(timeout.min(interval)),
                    fall: Whole::of(fall),
                    rise: Whole::of(rise),
                    ..Health::default()
                },
                ..Balancer::default()
            }
        },
    )
}

/// What a balancer can do about servers that fail, are slow, or have only just started.
fn cautious() -> impl Strategy<Value = Balancer> {
    let outlier = (1u64..6, 100u64..2_000, 0u16..=1_000).prop_map(|(consecutive, ejection, at_most)| Outlier {
        consecutive: Whole::of(consecutive),
        ejection: time(ejection),
        longest: time(3_000),
        at_most: Share::of_thousand(at_most),
        always_one: at_most % 2 == 0,
    });
    let outlier = prop::option::weighted(0.3, outlier);
    let answer_timeout = prop::option::weighted(0.3, prop_oneof![Just(1u64), Just(20), Just(100)]);
    let slow_start = prop::option::weighted(0.3, 100u64..3_000);
    let budget = prop::option::weighted(0.3, 0u16..=1_000);
    let panic = prop::option::weighted(0.3, 0u16..=1_000);
    (balancer(), outlier, answer_timeout, slow_start, budget, panic).prop_map(
        |(balancer, outlier, answer_timeout, slow_start, budget, panic)| Balancer {
            outlier,
            answer_timeout: answer_timeout.map(time),
            slow_start: slow_start.filter(|_| balancer.policy.warms_up()).map(time),
            retry_budget: budget.map(Share::of_thousand),
            panic_threshold: panic.map(Share::of_thousand),
            ..balancer
        },
    )
}

fn homes() -> impl Strategy<Value = Homes> {
    use CartHome as C;
    use SessionHome as S;
    use UploadHome as U;
    let cart = prop_oneof![
        3 => Just(C::ServerMemory),
        1 => Just(C::SharedStore),
        1 => Just(C::SignedToken),
        1 => Just(C::ReplicatedMemory),
    ];
    let session = prop::sample::select(vec![S::ServerMemory, S::SharedStore, S::SignedToken, S::UnsignedCookie]);
    let upload = prop::sample::select(vec![U::ServerMemory, U::LocalDisk, U::ObjectStore]);
    (cart, session, upload).prop_map(|(cart, session, upload)| Homes { cart, session, upload })
}

fn store() -> impl Strategy<Value = Store> {
    let update = prop::sample::select(vec![StoreUpdate::Atomic, StoreUpdate::ReadModifyWrite]);
    let forgets = prop_oneof![
        2 => Just(Forgets::NOTHING),
        2 => (1u64..3_000).prop_map(|millis| Forgets::Last(ms(millis))),
        1 => Just(Forgets::Everything),
    ];
    let ttl = prop::option::weighted(0.3, 1u64..3_000);
    let when_full = prop::sample::select(vec![WhenFull::Evict, WhenFull::Refuse]);
    let memory = prop::option::weighted(0.3, (1u64..12, when_full));
    let calls = (prop_oneof![Just(0u64), Just(4)].prop_flat_map(dist), prop::option::of(1u64..4), 0u64..3);
    (calls, update, forgets, ttl, memory).prop_map(|((latency, connections, lookups), update, forgets, ttl, memory)| {
        Store {
            latency,
            connections: connections.map(Whole::of),
            update,
            lookups_per_add: Whole::of(lookups),
            durability_window: forgets,
            ttl: ttl.map(time),
            memory: memory.map(|(carts, when_full)| StoreMemory { carts: Whole::of(carts), when_full }),
        }
    })
}

fn hidden() -> impl Strategy<Value = (HiddenState, Hidden)> {
    use HiddenState::{Cache, CsrfToken, IdempotencyKey, None, RateLimiter, SigningKey};
    let kind = prop_oneof![
        6 => Just(None),
        1 => Just(RateLimiter),
        1 => Just(CsrfToken),
        1 => Just(SigningKey),
        2 => Just(IdempotencyKey),
        1 => Just(Cache),
    ];
    let rate =
        (1u64..5, 30u64..1_000).prop_map(|(limit, window)| RateLimit { limit: Whole::of(limit), window: time(window) });
    let cache = (50u64..2_000, 20u64..1_000)
        .prop_map(|(ttl, changes)| whatcart::scenario::Cache { ttl: time(ttl), changes: time(changes) });
    (kind, rate, cache).prop_map(|(kind, rate, cache)| (kind, Hidden { rate, cache }))
}

fn objects() -> impl Strategy<Value = Objects> {
    prop_oneof![Just(0u64), Just(30)].prop_flat_map(dist).prop_map(|latency| Objects { latency })
}

fn replication() -> impl Strategy<Value = Replication> {
    (1u64..4, prop_oneof![Just(0u64), Just(30), Just(400)])
        .prop_map(|(copies, lag)| Replication { copies: Whole::of(copies), lag: time(lag) })
}

fn migration() -> impl Strategy<Value = Option<Migration>> {
    use MigrationWay::{BigBang, DualWrite, ReadThrough};
    let how = prop::sample::select(vec![BigBang, DualWrite, ReadThrough]);
    prop::option::of((how, 500u64..5_000, 1u64..1_500).prop_map(|(how, at, before)| Migration {
        at: time(at),
        to: CartHome::SharedStore,
        how,
        from: (how == DualWrite).then(|| time(at.saturating_sub(before))),
    }))
}

fn tokens() -> impl Strategy<Value = Tokens> {
    prop_oneof![
        2 => Just(Tokens::default()),
        2 => (1u64..2_000, 0u64..200, any::<bool>(), any::<bool>()).prop_map(|(lifetime, leeway, refresh, deny_list)| {
            Tokens { lifetime: time(lifetime), leeway: time(leeway), refresh, deny_list }
        }),
    ]
}

fn any_fault() -> impl Strategy<Value = Fault> {
    let verbs = "crash,restart,replace,vanish,revive,slow,isolate,failing,outage,failover,store restart";
    let verb = prop::sample::select(verbs.split(',').collect::<Vec<_>>());
    let rate = prop::option::of(1u32..1_000);
    let accident = (verb, 1u64..5, 0u64..8_000, prop::option::of(100u64..6_000), rate).prop_map(
        |(verb, server, at, back, rate)| {
            let mut fault = fault(verb, server, at, back);
            if let (Ok(FaultKind::Failing { billionths, .. }), Some(rate)) = (&mut fault.kind, rate) {
                *billionths = rate * 1_000_000;
            }
            fault
        },
    );
    prop_oneof![5 => accident, 2 => any_plan()]
}

/// A fault that is a plan.
fn any_plan() -> impl Strategy<Value = Fault> {
    let strategy = prop::sample::select(vec![Rollout::Rolling, Rollout::AllAtOnce, Rollout::BlueGreen]);
    let deploy = (strategy, drains::drain(3_000), 0u64..3, any::<bool>());
    let first = prop::sample::select(vec![First::Newest, First::Oldest]);
    let scale = (1u64..7, drains::drain(3_000), first);
    let join = (1u64..40, 0u64..2_000);
    (0u64..8_000, 0usize..3, deploy, scale, join).prop_map(|(at, which, deploy, scale, join)| {
        let ((strategy, drain, surge, in_place), (to, scale_drain, first), (people, over)) = (deploy, scale, join);
        let rolling = strategy == Rollout::Rolling;
        let surge = (rolling && surge > 0).then(|| Whole::of(surge));
        let in_place = in_place && surge.is_none() && strategy != Rollout::BlueGreen;
        let deploy = Deploy { strategy, drain, surge, unavailable: None, in_place };
        let scale = Scale { to: Whole::of(to), drain: scale_drain, first };
        let rate_to = Some(rate(0.5 * f64::from(u32::try_from(people).expect("below 40"))));
        let join = Join { to: Some(Whole::of(people)), rate_to, over: time(over) };
        let kind = match which {
            0 => FaultKind::Deploy(deploy),
            1 => FaultKind::Scale(scale),
            _ => FaultKind::Join(join),
        };
        that(kind, at)
    })
}

fn autoscaler() -> impl Strategy<Value = Option<Autoscaler>> {
    let limits = (1u64..3, 3u64..7, 200u64..1_500, 0u64..2_000);
    prop::option::weighted(0.2, (limits, drains::drain(1_000), any::<bool>())).prop_map(|some| {
        some.map(|((min, max, interval, cool_down), drain, newest)| Autoscaler {
            target: Positive::of(0.4),
            min: Whole::of(min),
            max: Whole::of(max),
            interval: time(interval),
            cool_down: time(cool_down),
            drain,
            first: if newest { First::Newest } else { First::Oldest },
        })
    })
}

/// Small scenarios of the plain kind that the naive simulator supports: a closed loop, round robin, crashes.
pub fn plain_world() -> impl Strategy<Value = Scenario> {
    let middle = prop_oneof![2 => Just(Step::Browse), 4 => Just(Step::Add), 2 => Just(Step::View)];
    let journey = (any::<bool>(), prop::collection::vec(middle, 1..7)).prop_map(|(login, middle)| {
        let before = login.then_some(Step::Login).into_iter().chain([Step::Add]);
        before.chain(middle).chain([Step::Checkout]).collect::<Vec<Step>>()
    });
    let users = (1u64..9, journey, 0u64..4, 50u64..900, 100u64..1_500);
    let pool = (1u64..5, 1u64..3, 0u64..4, 5u64..200);
    let homes = prop::sample::select(vec![CartHome::ServerMemory, CartHome::SharedStore, CartHome::SignedToken]);
    let balancer = (any::<bool>(), 0u64..4, 100u64..1_500, 1u64..4, 1u64..4);
    let faults = prop::collection::vec((0u64..100, 100u64..5_900, prop::option::of(1u64..2_000)), 0..4);
    (users, pool, homes, balancer, faults).prop_map(|(users, pool, cart, balancer, faults)| {
        let (count, journey, patience, think, timeout) = users;
        let (servers, workers, queue, service) = pool;
        let (sticky, retries, interval, fall, rise) = balancer;
        let crash = |(server, at, back): (u64, u64, Option<u64>)| fault("crash", server % servers + 1, at, back);
        let base = Scenario::house();
        Scenario {
            duration: time(6_000),
            users: Users {
                count: Some(Whole::of(count)),
                journey: journey.into(),
                think: exponential(think * 1_000),
                patience: Whole::of(patience),
                pause: time(think),
                timeout: time(timeout),
                ..Users::default()
            },
            servers: Servers {
                count: Whole::of(servers),
                workers: Whole::of(workers),
                queue: Whole::of(queue),
                service: exponential(service * 1_000),
                ..Servers::default()
            },
            balancer: Balancer {
                affinity: if sticky { Affinity::Cookie(CookieLife::Visit) } else { Affinity::None },
                retries: Whole::of(retries),
                health: Health {
                    interval: time(interval),
                    fall: Whole::of(fall),
                    rise: Whole::of(rise),
                    ..Health::default()
                },
                ..Balancer::default()
            },
            homes: Homes { cart, ..Homes::default() },
            faults: faults.into_iter().map(crash).collect(),
            ..base
        }
    })
}

/// Mostly none. They depend only on the seed, so that everything else is drawn as it would be without them.
fn random_faults(seed: u32) -> Vec<RandomFaults> {
    let luck = u64::from(seed >> 2);
    let between = 500 + luck % 3_500;
    let back = Some(100 + luck % 2_900).filter(|_| luck % 7 > 0);
    let process = RandomFaults {
        name: None,
        how: if luck % 3 == 0 { How::Vanish } else { How::Crash },
        every: (luck % 2 == 0).then(|| constant(between)),
        mtbf: (luck % 2 == 1).then(|| exponential(between * 1_000)),
        replace_after: back.filter(|_| luck % 5 < 3).map(constant),
        restart_after: back.filter(|_| luck % 5 >= 3).map(|back| exponential(back * 1_000)),
    };
    if seed.is_multiple_of(4) { vec![process] } else { Vec::new() }
}
