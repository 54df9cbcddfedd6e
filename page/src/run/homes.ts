/** Where a design keeps things, as far as it is drawn. */

import type { DesignInfo } from "../engine/moments.ts";

/** Whether servers keep carts in their memory. */
export const keepsCarts = ({ homes }: DesignInfo): boolean =>
  homes.cart === "server-memory" || homes.cart === "replicated-memory";

/** Whether servers keep something that is drawn in a plate: carts, logins or files. */
export const hasPlates = (design: DesignInfo): boolean =>
  keepsCarts(design) ||
  design.homes.session === "server-memory" ||
  (design.homes.upload !== null && design.homes.upload !== "object-store");

/** Whether users carry their carts in tokens. */
export const carries = ({ homes }: DesignInfo): boolean => homes.cart === "signed-token";

/** What stands behind the servers, if anything. */
export function farSide({ store, homes }: DesignInfo): "store" | "objects" | null {
  return store ? "store" : homes.upload === "object-store" ? "objects" : null;
}
