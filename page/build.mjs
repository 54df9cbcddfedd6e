// Bundles the page into dist/. Same lockfile, same bytes.
import { copyFile, mkdir, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

await rm(here("dist"), { recursive: true, force: true });
await mkdir(here("dist"), { recursive: true });
await build({
  absWorkingDir: here("."),
  entryPoints: {
    app: "src/main.ts",
    worker: "src/engine/worker.ts",
    sw: "src/engine/offline.ts",
    style: "src/style/index.css",
  },
  outdir: "dist",
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "none",
  charset: "utf8",
  logLevel: "warning",
});
for (const file of ["index.html", "icon.svg", "engine.json", "recording.json.gz"]) {
  await copyFile(here(`src/${file}`), here(`dist/${file}`));
}
