// Builds the page: one script, one style sheet, and the files beside them, into `dist`.
//
// The same sources give the same bytes on any machine. `cargo xtask page` runs this, and writes
// down the hashes of what went in and what came out.

import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

// Licences under which the page may pass on a library, as `deny.toml` has them for crates.
const LICENCES = ["Apache-2.0", "BSD-3-Clause", "ISC", "MIT"];

rmSync("dist", { recursive: true, force: true });
mkdirSync("dist");
const { metafile } = await build({
  entryPoints: { app: "src/main.tsx" },
  outdir: "dist",
  bundle: true,
  minify: true,
  format: "esm",
  target: ["chrome123", "firefox120", "safari17.5"],
  charset: "utf8",
  legalComments: "none",
  metafile: true,
});
for (const name of ["index.html", "icon.svg"]) {
  cpSync(`src/${name}`, `dist/${name}`);
}

// What is part of the script must be named, with its licence, to those who get the page.
const libraries = new Set();
for (const input of Object.keys(metafile.inputs)) {
  const library = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
  if (library) libraries.add(library[1]);
}
const notices = [...libraries].sort().map((name) => {
  const { version, license } = JSON.parse(readFileSync(`node_modules/${name}/package.json`));
  if (!LICENCES.includes(license)) {
    throw new Error(`${name} is under ${license}, which is none of ${LICENCES.join(", ")}`);
  }
  const text = readFileSync(`node_modules/${name}/LICENSE`, "utf8").trim();
  return `${name} ${version} (${license})\n\n${text}\n`;
});
const head = "The page of weir's console is part of weir (Apache-2.0). It includes these libraries.";
writeFileSync("dist/licences.txt", [head + "\n", ...notices].join("\n" + "-".repeat(80) + "\n\n"));
