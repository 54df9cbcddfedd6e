//! What each lookup path does to a cart while carts move from the memory of servers to the shared store.

use crate::base::Command;
use crate::scenario::CartPath;

/// What serving a request does to a cart that may move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MovingEffect {
    /// The command is done to the cart in the memory of the server.
    InMemory,
    /// The same, and the whole cart as it is then is written to the store.
    InBoth,
    /// The command is done to the cart in the store.
    InStore,
    /// The store does not have the cart and the memory of the server does: what the command makes of it is written to the
    /// store, and the old copy stays as it is.
    MovesOver,
}

impl MovingEffect {
    /// What a path does. `stored`: whether the store has the cart. `remembered`: whether the memory of the server has it.
    #[must_use]
    pub fn of(path: CartPath, command: Command, stored: bool, remembered: bool) -> MovingEffect {
        match path {
            CartPath::Both if !command.is_safe() => MovingEffect::InBoth,
            _ if path.asks_memory() => MovingEffect::InMemory,
            CartPath::StoreThenMemory if remembered && !stored => MovingEffect::MovesOver,
            _ => MovingEffect::InStore,
        }
    }

    /// Whether it writes to the store.
    #[must_use]
    pub fn writes_store(self, command: Command) -> bool {
        match self {
            MovingEffect::InMemory => false,
            MovingEffect::InBoth | MovingEffect::MovesOver => true,
            MovingEffect::InStore => !command.is_safe(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Item;

    #[test]
    fn each_path_leads_to_its_home() {
        let add = Command::Add(Item::new(1).expect("in range"));
        let of = |path, command, stored, remembered| MovingEffect::of(path, command, stored, remembered);
        for (stored, remembered) in [(false, false), (false, true), (true, false), (true, true)] {
            assert_eq!(of(CartPath::Memory, add, stored, remembered), MovingEffect::InMemory);
            assert_eq!(of(CartPath::Both, add, stored, remembered), MovingEffect::InBoth);
            assert_eq!(of(CartPath::Both, Command::View, stored, remembered), MovingEffect::InMemory);
            assert_eq!(of(CartPath::Store, add, stored, remembered), MovingEffect::InStore);
            let moves = if remembered && !stored { MovingEffect::MovesOver } else { MovingEffect::InStore };
            assert_eq!(of(CartPath::StoreThenMemory, add, stored, remembered), moves);
        }
    }

    #[test]
    fn a_view_writes_nothing_unless_it_moves_the_cart() {
        use MovingEffect::{InBoth, InMemory, InStore, MovesOver};
        let writes = |effect: MovingEffect| effect.writes_store(Command::View);
        assert_eq!([InMemory, InBoth, InStore, MovesOver].map(writes), [false, true, false, true]);
        assert!(InStore.writes_store(Command::Checkout));
    }
}
