/** Brings the show to the screen: pictures at every frame, texts ten times a second. */

import { carries, keepsCarts } from "../run/homes.ts";
import type { Scene } from "../run/scene.ts";
import { sceneAt } from "../run/stage.ts";
import type { Page } from "../view/page.ts";
import { captionAt, inOneText, Narrator, weightOf } from "./caption.ts";
import { Player } from "./player.ts";
import type { Run, Show } from "./show.ts";

/** Texts are brought up to date this often, in milliseconds. */
const TEXTS = 100;

export class Screen {
  readonly player: Player;
  private readonly narrator: Narrator;
  private version = 0;
  private drawn = { t: -1, at: 0, version: -1 };
  private told = "";
  /** What stands under the title while there is no news. */
  otherwise = "";

  constructor(
    private readonly page: Page,
    /** Called after each picture. */
    private readonly after: (show: Show) => void,
  ) {
    this.narrator = new Narrator((text) => page.speak(text));
    this.player = new Player(() => this.frame());
    const calm = matchMedia("(prefers-reduced-motion: reduce)");
    const settle = () => {
      this.player.still = calm.matches;
      this.change();
    };
    calm.addEventListener("change", settle);
    settle();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => page.measure());
  }

  open(show: Show | null): void {
    this.player.show = show;
    this.told = "";
    this.change();
  }

  /** Something else than the time is different: draw again. */
  change(): void {
    this.version += 1;
  }

  /** The scene of one design at the moment that is shown. */
  scene(show: Show, run: Run): Scene {
    return sceneAt(run.recording, show.t, {
      speed: this.player.speed,
      still: this.player.still,
      followedUser: show.user,
      remembers: keepsCarts(run.design),
      carries: carries(run.design),
    });
  }

  /** Says where the show is, and what was told last. */
  read(): void {
    this.page.speak(`${this.page.timeline.element.getAttribute("aria-valuetext")}. ${this.told}`);
  }

  private frame(): void {
    const { show } = this.player;
    const { drawn, page } = this;
    if (!show || (show.t === drawn.t && this.version === drawn.version)) {
      return;
    }
    const now = performance.now();
    const texts = now - drawn.at >= TEXTS || !this.player.playing;
    for (const pane of page.panes) {
      const scene = this.scene(show, pane.run);
      if (texts) {
        pane.refresh(scene);
      }
      pane.draw(scene, `${Math.floor(show.t * 20)} ${this.version} ${this.player.speed}`);
    }
    page.timeline.draw();
    this.drawn = { t: show.t, at: texts ? now : drawn.at, version: this.version };
    if (texts) {
      this.texts(show);
    }
    this.after(show);
  }

  private texts(show: Show): void {
    const caption = captionAt(show.runs, show.t);
    this.page.setCaption(caption, this.otherwise);
    this.page.film.refresh(show.t, show.user);
    this.page.refreshTransport(show, this.player.playing, this.player.speed, this.player.isSlow);
    const text = caption ? inOneText(caption, show.runs.length) : "";
    if (text !== this.told) {
      this.told = text;
      if (text) {
        this.narrator.tell(text, weightOf(caption));
      }
    }
  }
}
