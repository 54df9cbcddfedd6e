//! Where each kind of state lives.

use serde::Deserialize;

/// Where each kind of state lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Homes {
    /// The cart.
    pub cart: CartHome,
    /// The login.
    pub session: SessionHome,
}

impl Default for Homes {
    fn default() -> Self {
        Homes { cart: CartHome::ServerMemory, session: SessionHome::SignedToken }
    }
}

/// Where a cart lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CartHome {
    /// In the memory of the server that answered.
    ServerMemory,
    /// In a store that every server can reach.
    SharedStore,
    /// With the user, signed by the servers.
    SignedToken,
}

/// Where a login lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SessionHome {
    /// In the memory of the server that answered.
    ServerMemory,
    /// In a store that every server can reach.
    SharedStore,
    /// With the user, signed by the servers (a JWT).
    SignedToken,
    /// With the user, and taken at its word: anybody can forge it.
    UnsignedCookie,
}
