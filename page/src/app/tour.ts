/** The tour: ten steps, each with one change; and which designs of the other scenarios are opened first. */

export interface Step {
  readonly name: string;
  readonly scenario: string;
  readonly designs: readonly number[];
  /** The one thing that is new, in a sentence. */
  readonly change: string;
  /** Whether the reader is asked for a guess. */
  readonly asks: boolean;
}

export const STEPS: readonly Step[] = [
  {
    name: "One server",
    scenario: "what-cart",
    designs: [1],
    change: "One shop, one server: every cart is in its memory, and every request comes back to it.",
    asks: false,
  },
  {
    name: "Three",
    scenario: "what-cart",
    designs: [1, 2],
    change: "New: two more servers. The balancer sends each request to the next one.",
    asks: true,
  },
  {
    name: "Grow",
    scenario: "grow",
    designs: [3, 4],
    change: "New: ten servers instead of three, and more users to match.",
    asks: true,
  },
  {
    name: "Sticky",
    scenario: "sticky-crash",
    designs: [2, 4],
    change: "New: a cookie brings users back to their server. Then server-2 dies.",
    asks: true,
  },
  {
    name: "Deploy",
    scenario: "deploy-drain",
    designs: [1, 4],
    change: "New: no accident this time, but a deploy. It stops every server in turn.",
    asks: true,
  },
  {
    name: "Store",
    scenario: "shared-cart",
    designs: [1, 4],
    change: "New: carts live in a store that all servers share. It has its price.",
    asks: true,
  },
  {
    name: "Token",
    scenario: "token-cart",
    designs: [2, 3],
    change: "New: users carry their carts, signed, in every request.",
    asks: true,
  },
  {
    name: "Two tabs",
    scenario: "two-tabs",
    designs: [2, 3],
    change: "New: one user, two tabs, one cart.",
    asks: true,
  },
  {
    name: "Outage",
    scenario: "store-outage",
    designs: [1, 4],
    change: "New: this time it is the store that fails.",
    asks: true,
  },
  {
    name: "Regions",
    scenario: "regions",
    designs: [1, 2],
    change: "New: servers on three continents. Distance takes time.",
    asks: true,
  },
];

/** The trouble on the left, a way out on the right. */
const PAIRS: Readonly<Record<string, readonly number[]>> = {
  "what-cart": [2, 4],
  grow: [3, 4],
  "sticky-crash": [2, 4],
  "deploy-drain": [1, 6],
  "heavy-user": [2, 5],
  "login-sessions": [1, 3],
  "token-cart": [1, 3],
  uploads: [2, 4],
  "zero-downtime-deploy": [2, 5],
  regions: [1, 2],
  "session-replication": [2, 5],
  "traffic-doubles": [1, 3],
  "crash-recovery": [1, 4],
  "autoscale-in": [2, 5],
  serverless: [3, 4],
  "hidden-state": [1, 2],
  "two-tabs": [2, 3],
  "day-one": [2, 5],
  "stale-return": [3, 5],
  "hash-resize": [2, 3],
  sinkhole: [3, 5],
  "slow-server": [2, 6],
  "retry-storm": [2, 4],
};

export function designsOf(scenario: string, designs: number): readonly number[] {
  return PAIRS[scenario] ?? (designs > 1 ? [1, designs] : [1]);
}
