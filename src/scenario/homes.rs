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
    /// Files that users upload.
    pub upload: UploadHome,
}

impl Default for Homes {
    fn default() -> Self {
        Homes { cart: CartHome::ServerMemory, session: SessionHome::SignedToken, upload: UploadHome::ServerMemory }
    }
}

/// Where a cart lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "kebab-case")]
pub enum CartHome {
    /// In the memory of the server that answered.
    ServerMemory,
    /// In a store that every server can reach.
    SharedStore,
    /// With the user, signed by the servers.
    SignedToken,
    /// In the memory of the server that answered, and copied to other servers a little later.
    ReplicatedMemory,
}

impl CartHome {
    /// Whether each request brings the cart, and each answer sets it anew.
    #[inline]
    #[must_use]
    pub const fn travels(self) -> bool {
        matches!(self, CartHome::SignedToken)
    }

    /// Whether the only copy of a cart is in the memory of one server, and is gone when that server's process ends.
    #[must_use]
    pub const fn dies_with_its_server(self) -> bool {
        matches!(self, CartHome::ServerMemory)
    }
}

/// Where a login lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "kebab-case")]
pub enum SessionHome {
    /// In the memory of the server that answered.
    ServerMemory,
    /// In a store that every server can reach.
    SharedStore,
    /// With the user, signed by the servers (a JWT).
    SignedToken,
    /// With the user, without a signature: anybody can forge it.
    UnsignedCookie,
}

/// Where an uploaded file lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "kebab-case")]
pub enum UploadHome {
    /// In the memory of the server that received it.
    ServerMemory,
    /// On the local disk of the server that received it. A restart keeps it; a replacement starts with an empty disk.
    LocalDisk,
    /// In an object store that every server can reach.
    ObjectStore,
}
