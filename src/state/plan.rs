//! A request's plan: the stages of serving it, which the simulation schedules and a real server awaits.

use super::moving_carts::MovingEffect;
use super::session::CredentialStatus;
use crate::base::Command;
use crate::scenario::{CartHome, Homes, Scenario, SessionHome, StoreUpdate, Tokens, UploadHome};

/// One stage of serving a request. Stages run in this order, each at most once (except [`Stage::LookUpGoods`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Ask the store whether a logout has put the token on the deny list.
    CheckDenyList,
    /// Ask the store for the session, or for the refresh session of an expired token.
    FindSession,
    /// Ask the store for the other data that an add needs: prices, stock.
    LookUpGoods,
    /// Read the cart from the store, for a later write.
    ReadCart,
    /// Occupy a worker.
    Work,
    /// Store or fetch a file in the object store.
    CallObjectStore,
    /// Store a new session, or the refresh session of a new token.
    KeepSession,
    /// Put the token of a logout on the deny list in the store.
    DenyToken,
    /// Delete the session, or the refresh session, from the store.
    DropSession,
    /// Update or read the cart in the store, or write back the copy that was read.
    UpdateCart,
    /// During a migration: copy a cart to the store that was only in the server's memory.
    CopyCart,
    /// Commit all effects at once, just before the answer.
    Commit,
}

impl Stage {
    /// Every stage, in order.
    pub const ALL: [Stage; 12] = [
        Stage::CheckDenyList,
        Stage::FindSession,
        Stage::LookUpGoods,
        Stage::ReadCart,
        Stage::Work,
        Stage::CallObjectStore,
        Stage::KeepSession,
        Stage::DenyToken,
        Stage::DropSession,
        Stage::UpdateCart,
        Stage::CopyCart,
        Stage::Commit,
    ];

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// The stages before the work that call the store, once each.
const BEFORE: u16 = Stage::CheckDenyList.bit() | Stage::FindSession.bit() | Stage::ReadCart.bit();
/// The stages after the work that call the store, once each.
const AFTER: u16 = Stage::KeepSession.bit()
    | Stage::DenyToken.bit()
    | Stage::DropSession.bit()
    | Stage::UpdateCart.bit()
    | Stage::CopyCart.bit();

/// The stages of one request, in three bytes: the simulation keeps a plan for every request in flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    stages: u16,
    /// The number of goods look-ups.
    goods: u8,
}

impl Plan {
    /// Nothing but the work.
    pub const WORK: Plan = Plan { stages: Stage::Work.bit() | Stage::Commit.bit(), goods: 0 };

    #[inline]
    const fn with(self, stage: Stage, needed: bool) -> Plan {
        Plan { stages: self.stages | if needed { stage.bit() } else { 0 }, ..self }
    }

    /// Whether it contains this stage.
    #[inline]
    #[must_use]
    pub const fn has(self, stage: Stage) -> bool {
        self.stages & stage.bit() != 0
    }

    /// Whether it calls the store at all.
    #[inline]
    #[must_use]
    pub const fn calls_store(self) -> bool {
        self.stages & (BEFORE | AFTER) != 0 || self.goods > 0
    }

    /// The number of store calls before the work.
    #[inline]
    #[must_use]
    pub fn calls_before(self) -> u32 {
        (self.stages & BEFORE).count_ones() + u32::from(self.goods)
    }

    /// The number of store calls after the work.
    #[inline]
    #[must_use]
    pub fn calls_after(self) -> u32 {
        (self.stages & AFTER).count_ones()
    }

    /// The total number of store calls.
    #[inline]
    #[must_use]
    pub fn calls(self) -> u32 {
        self.calls_before() + self.calls_after()
    }

    /// The number of goods look-ups.
    #[must_use]
    pub fn look_ups_of_goods(self) -> u32 {
        u32::from(self.goods)
    }

    /// Adds the store calls that a request with this effect on its cart needs during a migration, all after the work.
    #[must_use]
    pub fn moving(self, effect: MovingEffect, command: Command, accepted: bool) -> Plan {
        let asks = accepted && command.touches_cart() && effect != MovingEffect::InMemory;
        self.with(Stage::UpdateCart, asks).with(Stage::CopyCart, asks && effect == MovingEffect::MovesOver)
    }
}

/// The properties of a design that determine the stages of each request.
#[derive(Clone, Copy, Debug)]
pub struct ServingRules {
    /// Where each kind of state lives.
    pub homes: Homes,
    /// How carts in the store are changed.
    pub update: StoreUpdate,
    /// Signed tokens, and what ends them early.
    pub tokens: Tokens,
    goods: u8,
}

impl ServingRules {
    /// The rules of a scenario.
    #[must_use]
    pub fn new(scenario: &Scenario) -> ServingRules {
        ServingRules {
            homes: scenario.homes,
            update: scenario.store.update,
            tokens: scenario.tokens,
            goods: u8::try_from(scenario.store.lookups_per_add.get()).expect("limited to 100"),
        }
    }

    /// The plan of a request with this kind of credential. If the server has not `accepted` the credential, it says so
    /// before any work, and the request has cost nothing but look-ups.
    ///
    /// An atomic update is one call at the end. Read-modify-write reads the cart before the work and writes it
    /// afterwards; a view only reads.
    #[inline]
    #[must_use]
    pub fn plan(&self, command: Command, credential: CredentialStatus, accepted: bool) -> Plan {
        let plan = self.session_stages(command, credential, accepted);
        let cart = self.homes.cart == CartHome::SharedStore && accepted && command.touches_cart();
        let reads = cart && self.update == StoreUpdate::ReadModifyWrite;
        let changes = cart && !(reads && command == Command::View);
        let objects = self.homes.upload == UploadHome::ObjectStore && accepted && command.file().is_some();
        let goods = if accepted && matches!(command, Command::Add(_)) { self.goods } else { 0 };
        let plan = plan.with(Stage::ReadCart, reads).with(Stage::UpdateCart, changes);
        let plan = plan.with(Stage::CallObjectStore, objects).with(Stage::LookUpGoods, goods > 0);
        Plan { goods, ..plan }
    }

    #[inline]
    fn session_stages(&self, command: Command, credential: CredentialStatus, accepted: bool) -> Plan {
        use CredentialStatus::{Current, Expired, Nothing};
        let [login, logout] = [Command::Login, Command::Logout].map(|it| it == command && accepted);
        let Tokens { refresh, deny_list, .. } = self.tokens;
        match self.homes.session {
            SessionHome::SharedStore => Plan::WORK
                .with(Stage::FindSession, credential != Nothing && command != Command::Login)
                .with(Stage::KeepSession, login)
                .with(Stage::DropSession, logout),
            SessionHome::SignedToken if refresh || deny_list => {
                let renews = refresh && credential == Expired;
                let ends = logout && credential != Nothing;
                Plan::WORK
                    .with(Stage::CheckDenyList, deny_list && (credential == Current || renews))
                    .with(Stage::FindSession, renews)
                    .with(Stage::KeepSession, refresh && login)
                    .with(Stage::DenyToken, deny_list && ends)
                    .with(Stage::DropSession, refresh && ends)
            }
            SessionHome::ServerMemory | SessionHome::SignedToken | SessionHome::UnsignedCookie => Plan::WORK,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Command::{Add, Browse, Checkout, Login, Logout, View};
    use crate::base::{File, Item};
    use crate::scenario::Homes;

    fn rules(cart: CartHome, session: SessionHome, update: StoreUpdate, tokens: Tokens) -> ServingRules {
        ServingRules { homes: Homes { cart, session, ..Homes::default() }, update, tokens, goods: 0 }
    }

    fn mug() -> Item {
        Item::new(1).expect("in range")
    }

    #[test]
    fn calls_of_the_house_journey() {
        let journey = [Login, Browse, Browse, Add(mug()), View, Add(mug()), Add(mug()), Checkout];
        let shown = |c: &Command| if *c == Login { CredentialStatus::Nothing } else { CredentialStatus::Current };
        let calls = |cart, session, update| {
            let rules = rules(cart, session, update, Tokens::default());
            journey.iter().map(|command| rules.plan(*command, shown(command), true).calls()).sum::<u32>()
        };
        for (update, carts) in [(StoreUpdate::Atomic, 5), (StoreUpdate::ReadModifyWrite, 9)] {
            assert_eq!(calls(CartHome::ServerMemory, SessionHome::ServerMemory, update), 0);
            assert_eq!(calls(CartHome::SharedStore, SessionHome::SignedToken, update), carts);
            assert_eq!(calls(CartHome::ServerMemory, SessionHome::SharedStore, update), 8);
        }
    }

    /// The store calls of a login, of requests with a valid and an expired token, and of a logout, for each kind of
    /// early revocation.
    #[test]
    fn ending_a_token_early_costs_look_ups() {
        let asked = [
            (Login, CredentialStatus::Nothing),
            (Browse, CredentialStatus::Current),
            (Browse, CredentialStatus::Expired),
            (Browse, CredentialStatus::Nothing),
            (Browse, CredentialStatus::Forged),
            (Logout, CredentialStatus::Current),
        ];
        for (refresh, deny_list, want) in [
            (false, false, [0, 0, 0, 0, 0, 0]),
            (true, false, [1, 0, 1, 0, 0, 1]),
            (false, true, [0, 1, 0, 0, 0, 2]),
            (true, true, [1, 1, 2, 0, 0, 3]),
        ] {
            let tokens = Tokens { refresh, deny_list, ..Tokens::default() };
            let rules = rules(CartHome::ServerMemory, SessionHome::SignedToken, StoreUpdate::Atomic, tokens);
            let calls = |(command, shown)| rules.plan(command, shown, true).calls();
            assert_eq!(asked.map(calls), want, "refresh {refresh}, deny list {deny_list}");
        }
    }

    #[test]
    fn a_cart_is_read_before_the_work_and_written_after_it() {
        let plan = |update, command, accepted| {
            let rules = rules(CartHome::SharedStore, SessionHome::SharedStore, update, Tokens::default());
            rules.plan(command, CredentialStatus::Current, accepted)
        };
        let calls = |update, command, accepted| {
            let plan: Plan = plan(update, command, accepted);
            (plan.calls_before(), plan.calls_after())
        };
        let add = Add(mug());
        assert_eq!([Browse, View, add].map(|c| calls(StoreUpdate::Atomic, c, true)), [(1, 0), (1, 1), (1, 1)]);
        assert_eq!([Browse, View, add].map(|c| calls(StoreUpdate::ReadModifyWrite, c, true)), [(1, 0), (2, 0), (2, 1)]);
        assert_eq!(calls(StoreUpdate::ReadModifyWrite, add, false), (1, 0), "a stranger costs a look-up");
        let plan = plan(StoreUpdate::ReadModifyWrite, add, true);
        let stages: Vec<Stage> = Stage::ALL.into_iter().filter(|stage| plan.has(*stage)).collect();
        assert_eq!(stages, [Stage::FindSession, Stage::ReadCart, Stage::Work, Stage::UpdateCart, Stage::Commit]);
    }

    #[test]
    fn a_file_in_the_object_store_is_no_call_to_the_shared_store() {
        let mut rules = rules(CartHome::ServerMemory, SessionHome::SignedToken, StoreUpdate::Atomic, Tokens::default());
        rules.homes.upload = UploadHome::ObjectStore;
        let upload = Command::Upload(File::new(1).expect("in range"));
        let plan = rules.plan(upload, CredentialStatus::Current, true);
        assert!(plan.has(Stage::CallObjectStore) && plan.calls() == 0);
        assert!(!rules.plan(upload, CredentialStatus::Expired, false).has(Stage::CallObjectStore), "401 comes first");
    }

    #[test]
    fn a_cart_that_moves_is_asked_for_where_its_path_leads() {
        let moving = |effect, command| Plan::WORK.moving(effect, command, true).calls();
        assert_eq!(moving(MovingEffect::InMemory, Checkout), 0);
        assert_eq!([MovingEffect::InBoth, MovingEffect::InStore].map(|effect| moving(effect, Checkout)), [1, 1]);
        assert_eq!(moving(MovingEffect::MovesOver, View), 2, "one look in vain, and the copy");
        assert_eq!(moving(MovingEffect::InStore, Browse), 0, "it is about no cart");
        assert_eq!(Plan::WORK.moving(MovingEffect::InStore, View, false).calls(), 0, "a stranger learns nothing");
    }
}
