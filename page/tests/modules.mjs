// The page's own modules, bundled for node.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

/** Imports a module below src/ with everything it needs. */
export async function importSource(path) {
  const folder = await mkdtemp(join(tmpdir(), "whatcart-page-"));
  const outfile = join(folder, "module.mjs");
  const entry = fileURLToPath(new URL(`../src/${path}`, import.meta.url));
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    logLevel: "error",
  });
  const module = await import(pathToFileURL(outfile));
  await rm(folder, { recursive: true });
  return module;
}
