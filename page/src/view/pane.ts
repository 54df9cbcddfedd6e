/** One design: its counts, the crowd, the balancer, the servers, the store and the bin, and a canvas over all of it. */

import type { Run } from "../app/show.ts";
import { heap } from "../draw/bin.ts";
import { type Layout, measure, seatAt } from "../draw/layout.ts";
import { fit, type Palette, paint, paletteOf } from "../draw/paint.ts";
import { drawPlates } from "../draw/plates.ts";
import { drawTraffic } from "../draw/traffic.ts";
import { carries, farSide, hasPlates } from "../run/homes.ts";
import type { Scene } from "../run/scene.ts";
import { h, icon, mark, say } from "./dom.ts";
import { type ServerActions, Servers } from "./servers.ts";

/** What the causes of losses are called on the bin. */
const CAUSES: Readonly<Record<string, string>> = {
  rolled_back: "rolled back",
  evicted: "evicted",
  expired: "expired",
  overwritten: "overwritten",
  wiped: "wiped",
  stale: "stale",
  split: "split",
  unexplained: "unexplained",
};

export interface PaneActions extends ServerActions {
  readonly choose: (pane: number) => void;
  /** Things are elsewhere now, and must be drawn there. */
  readonly moved: () => void;
  readonly followSeat: (seat: number) => void;
}

const count = (n: number) => n.toLocaleString("en-US");

export class Pane {
  readonly element: HTMLElement;
  readonly tab: HTMLButtonElement;
  private readonly plates = h("canvas", { "aria-hidden": "true" });
  private readonly traffic = h("canvas", { "aria-hidden": "true" });
  private readonly servers: Servers;
  private readonly lost = h("dd");
  private readonly tabLost = h("b");
  private readonly share = h("dd");
  private readonly shareLabel = h("dt");
  private readonly price = h("dd");
  private readonly priceLabel = h("dt");
  private readonly binNote = h("small");
  private readonly causes = h("span");
  private readonly crowdNote = h("small");
  private readonly storeState = h("p");
  private readonly also = h("p.also");
  private readonly store: HTMLElement | null;
  private layout: Layout | null = null;
  private palette: Palette | null = null;
  private painted = "";

  constructor(
    readonly run: Run,
    index: number,
    actions: PaneActions,
  ) {
    const { design, branch } = run;
    const colour = `of-${Math.min(7, design.number)}`;
    const number = () => h("span.no", {}, branch ? `${design.number}′` : design.number);
    const name = branch ?? design.name;
    // `server-2` stays in one line.
    const title = name.replace(/-(?=\d)/g, "\u2011");
    this.servers = new Servers(design, actions);
    this.store = farSide(design) ? this.makeStore() : null;
    const choose = h(
      "button.choose",
      { type: "button", "aria-haspopup": "dialog", onclick: () => actions.choose(index) },
      number(),
      h("h2", {}, title),
      icon("down"),
      h("span.sr", {}, "Choose another design"),
    );
    const counts = h(
      "dl.counts",
      {},
      h("div.wide", {}, this.shareLabel, this.share),
      h("div.wide", {}, this.priceLabel, this.price),
      h("div.lost", {}, h("dt", {}, "carts lost"), this.lost),
    );
    const stage = h(
      "div.stage",
      {},
      this.makeLeft(actions),
      this.servers.balancer,
      this.servers.cards,
      this.store,
    );
    stage.classList.add(...(this.store ? ["far"] : hasPlates(design) ? [] : ["free"]));
    stage.classList.toggle("both", this.store !== null && hasPlates(design));
    this.element = h(
      "section.pane",
      { "aria-label": `Design ${design.number}: ${name}` },
      h("header", {}, choose, counts),
      stage,
      this.plates,
      this.traffic,
    );
    const observer = new ResizeObserver(() => {
      this.layout = null;
      actions.moved();
    });
    for (const place of [stage, ...stage.querySelectorAll(".heap, .users .plate, .servers")]) {
      observer.observe(place);
    }
    this.element.classList.add(colour, ...(branch ? ["branch"] : []));
    this.tab = h(
      "button",
      { role: "tab", type: "button" },
      number(),
      h("span.short", {}, name),
      this.tabLost,
      h("span.sr", {}, "carts lost"),
    );
    this.tab.classList.add(colour);
  }

  private makeLeft(actions: PaneActions): HTMLElement {
    const { design } = this.run;
    const users =
      design.users === null ? "visitors" : `${count(design.users)} ${design.users === 1 ? "user" : "users"}`;
    const plate = h("div.plate", { "data-place": "crowd" });
    plate.addEventListener("click", (event) => {
      const crowd = this.layout?.places.get("crowd");
      const box = plate.getBoundingClientRect();
      const at = {
        x: event.clientX - box.left + (crowd?.x ?? 0),
        y: event.clientY - box.top + (crowd?.y ?? 0),
      };
      const seat = crowd && this.seats ? seatAt(crowd, at, this.seats) : null;
      if (seat !== null) {
        actions.followSeat(seat);
      }
    });
    return h(
      "div.left",
      {},
      h("div.users", {}, h("h3", {}, users, " ", this.crowdNote), plate),
      this.also,
      h(
        "div.bin",
        {},
        h("h3", {}, "Lost ", this.causes, this.binNote),
        h("div.heap", { "data-place": "bin" }),
      ),
    );
  }

  private seats = 0;

  private makeStore(): HTMLElement {
    const { homes, regions } = this.run.design;
    const replicas = regions.length > 0 && homes.cart === "shared-store" ? regions : [];
    const objects = farSide(this.run.design) === "objects";
    const names = this.replicated
      ? replicas.map((_, index) => `replica-${index}`)
      : [objects ? "objects" : "store"];
    const plates = names.map((name) => h("div.plate", { "data-place": `memory-${name}` }));
    const group = h("div.plates", {}, ...plates);
    group.classList.toggle("several", names.length > 1);
    return h(
      "div.store",
      { "data-place": "store" },
      h("h3", {}, objects ? "object store" : "store"),
      group,
      this.storeState,
    );
  }

  private get replicated(): boolean {
    return this.run.recording.worldAt(0).plates.has("replica-0");
  }

  /** Asks the document anew where everything is. */
  measure(): void {
    this.layout = measure(this.element);
    this.palette = paletteOf(this.element);
    const { width, height } = this.layout;
    fit(this.plates, width, height);
    fit(this.traffic, width, height);
    this.painted = "";
  }

  /** Texts and states: what a person reads or presses. */
  refresh(scene: Scene): void {
    this.seats = scene.seats.length;
    if (this.servers.update(scene.servers, scene.now)) {
      this.layout = null;
    }
    const { tally, headline } = scene;
    const lost = count(tally.lost_or_gone);
    for (const element of [this.lost, this.tabLost]) {
      say(element, lost);
      element.classList.toggle("hot", tally.lost_or_gone > 0);
    }
    say(this.shareLabel, headline.share.label);
    say(this.share, headline.share.value);
    say(this.priceLabel, headline.price.label);
    say(this.price, headline.price.value);
    this.refreshBin(scene);
    this.refreshAlso(scene);
    const grouped =
      scene.clientsPerSeat > 1
        ? `one seat is ${count(scene.clientsPerSeat)} users`
        : carries(this.run.design)
          ? "what they carry, signed"
          : "what they believe";
    say(this.crowdNote, grouped);
    this.refreshStore(scene);
  }

  private refreshBin({ tally, bin }: Scene): void {
    const by = new Map<string, number>();
    for (const counts of [tally.lost_by, tally.gone_by]) {
      for (const [cause, carts] of Object.entries(counts)) {
        by.set(cause, (by.get(cause) ?? 0) + carts);
      }
    }
    const key = [...by].join();
    if (this.causes.dataset.key !== key) {
      this.causes.dataset.key = key;
      const shown = [...by].sort((a, b) => b[1] - a[1]).slice(0, 3);
      const marks = shown.map(([cause, carts]) =>
        h("mark", {}, icon(cause), ` ${CAUSES[cause] ?? cause} ${count(carts)}`),
      );
      this.causes.replaceChildren(...marks.flatMap((mark) => [mark, " "]));
    }
    const box = this.layout?.places.get("bin");
    const carts = bin.noticed + bin.unnoticed + bin.falling.length;
    const each = box && this.layout ? heap(box.w, box.h, this.layout.rem, carts).each : 1;
    const unit = each > 1 ? ` · one drawn is ${count(each)}` : "";
    const noticed = tally.gone > 0 ? `${count(tally.lost)} noticed` : "";
    say(this.binNote, tally.lost_or_gone === 0 ? "nothing so far" : noticed + unit);
  }

  /** What else there is to say of a design, where carts are not all that can go wrong. */
  private refreshAlso({ headline }: Scene): void {
    const also = headline.also ?? [];
    const key = also.map(({ label, value }) => `${value} ${label}`).join(" · ");
    if (this.also.dataset.key !== key) {
      this.also.dataset.key = key;
      this.also.replaceChildren(
        ...also.flatMap(({ label, value }, index) => [
          `${index > 0 ? " · " : ""}${label} `,
          h("b", {}, value),
        ]),
      );
    }
  }

  private refreshStore({ store, servers }: Scene): void {
    if (!this.store) {
      return;
    }
    this.store.classList.toggle("down", store.down);
    const { homes } = this.run.design;
    const things = [
      { number: store.objects, one: "file", many: "files", shown: farSide(this.run.design) === "objects" },
      {
        number: store.carts,
        one: "cart",
        many: "carts",
        shown: homes.cart === "shared-store" || store.carts > 0,
      },
      { number: store.logins, one: "login", many: "logins", shown: homes.session === "shared-store" },
    ].filter(({ shown }) => shown);
    const key = `${store.down} ${store.line} ${things.map(({ number }) => number)}`;
    if (this.storeState.dataset.key === key) {
      return;
    }
    this.storeState.dataset.key = key;
    const held = things.flatMap(({ number, one, many }, index) => [
      ...(index > 0 ? [h("br")] : []),
      h(index > 0 ? "span" : "b", {}, count(number)),
      number === 1 ? ` ${one}` : ` ${many}`,
    ]);
    const main = store.down ? [h("b.state", {}, "✕ down"), "servers wait"] : held;
    const line = store.line > 0 ? [h("br"), `${count(store.line)} wait for it`] : [];
    this.storeState.replaceChildren(...main, ...line);
    mark(this.store, "aria-label", servers.length > 0 ? "the store that all servers share" : null);
  }

  /** Draws both layers; the still one only if it is another. */
  draw(scene: Scene, still: string): void {
    if (!this.layout) {
      this.measure();
    }
    const { layout, palette } = this;
    if (!layout || !palette || layout.width === 0 || !layout.places.has("crowd")) {
      return;
    }
    if (this.painted !== still) {
      this.painted = still;
      paint(this.plates, drawPlates(scene, layout), palette);
    }
    paint(this.traffic, drawTraffic(scene, layout), palette);
  }
}
