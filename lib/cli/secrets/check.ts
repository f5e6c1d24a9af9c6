/**
 * `gitops-sync secrets check`: prints who can decrypt which file of a checkout.
 *
 * @module
 */
import { relative } from "@std/path";
import type { Effects } from "../../base/effects.ts";
import { type ExitCode, exitCodes, usageError } from "../../base/errors.ts";
import { formatSize } from "../../base/size.ts";
import { count } from "../../base/text.ts";
import { KeyFiles } from "../../secrets/key_files.ts";
import { judgeFile } from "../../secrets/opening.ts";
import type { Identity } from "../../secrets/identities.ts";
import { filesOf, placeOf } from "../../secrets/people/checkout.ts";
import { inPlaintext, knownFiles } from "../../secrets/people/known_files.ts";
import {
  type Cell,
  type Column,
  columnsOf,
  type KnownFile,
  type Row,
  rowsOf,
} from "../../secrets/people/matrix.ts";
import { localConfigOf } from "../config.ts";
import { realEffects } from "../output/effects.ts";
import { hostIdentities } from "./identities.ts";
import { printJson } from "../output/json.ts";
import { print, printRaw } from "../output/print.ts";
import { table } from "../output/table.ts";
import type { Call } from "../call.ts";

/** Runs the command. */
export async function run(call: Call): Promise<ExitCode> {
  using effects = await realEffects(call.verbose);
  const places = await Promise.all(
    (call.operands.length > 0 ? call.operands : ["."]).map(placeOf),
  );
  const { top } = places[0]!;
  const paths = await filesOf(effects, top, places.map(({ path }) => path));
  const config = await localConfigOf(call);
  const most = config["limits.secrets"];
  const known = await knownFiles(effects, top, paths, most);
  const { files, names, leftOut } = known;
  const identities = await hostIdentities(effects, config);
  await decryptOwn(effects, top, files, identities);
  const all = columnsOf(files, names);
  const columns = chosen(all, hostOf(call));
  const rows = rowsOf(files, columns);
  const bad = rows.filter((row) => wrongIn(row, columns).length > 0);
  const exit = bad.length > 0 ? exitCodes.secrets : exitCodes.ok;
  if (call.json) tellJson(exit, rows, columns, leftOut);
  else {
    tellPeople(rows, columns, relative(Deno.cwd(), top), leftOut);
    tellLeftOut(leftOut, most);
  }
  return exit;
}

/**
 * Decrypts the files that name a key of this machine, and adds their problems.
 */
async function decryptOwn(
  effects: Effects,
  top: string,
  files: KnownFile[],
  identities: readonly Identity[],
): Promise<void> {
  const own = identities.flatMap(({ recipients }) => recipients);
  await using keyFiles = new KeyFiles();
  for (const [i, file] of files.entries()) {
    const isOwn = file.has?.some((one) => own.includes(one)) ?? false;
    if (!isOwn) continue;
    const keys = await keyFiles.with({ identities });
    const answer = await judgeFile(effects, keys, {
      name: file.path,
      bytes: await Deno.readFile(`${top}/${file.path}`),
      ...(file.path.endsWith(".age") ? { format: "age" as const } : {}),
    });
    // If sops can decrypt the file, our own check was wrong.
    if (answer.kind === "opened" && !file.path.endsWith(".age")) {
      files[i] = { ...file, problems: [] };
    }
    const why = answer.kind === "problem"
      ? answer.problem.why
      : answer.kind === "foreign"
      ? "it names a key of this machine, but that key does not decrypt it"
      : undefined;
    // Our own check describes a problem more exactly than a program does.
    if (why !== undefined && file.problems.length === 0) {
      files[i] = { ...file, problems: [why] };
    }
  }
}

/**
 * Returns the value of the flag `--host`. The option `host` of the
 * configuration file does not apply here.
 */
function hostOf({ given }: Call): string | undefined {
  return given.find(({ key }) => key === "host")?.value as string | undefined;
}

function chosen(columns: Column[], host: string | undefined): Column[] {
  if (host === undefined) return columns;
  const found = columns.filter(({ name, recipients }) =>
    name === host || recipients.includes(host)
  );
  if (found.length > 0) return found;
  throw usageError(
    "unknown-host",
    `Cannot check for ${host}: neither .sops.yaml nor secrets.nix names it`,
    `Use one of these names: ${
      columns.map(({ name }) => name).join(", ") || "none found"
    }`,
    "Name a key in .sops.yaml with an anchor: `- &web age1…`.",
  );
}

/** Returns the problems of a file, one in each sentence. */
function wrongIn({ cells, problems }: Row, columns: Column[]): string[] {
  if (problems.includes(inPlaintext)) return [...problems];
  const lacking = columns.filter((_, i) => cells[i] === "missing");
  return [
    ...problems,
    ...lacking.map(({ name }) =>
      `the rules name ${name}, but the file does not`
    ),
  ];
}

const signs: Readonly<Record<Cell, string>> = {
  yes: "yes",
  part: "part",
  no: "-",
  missing: "MISSING",
  extra: "extra",
};

function tellLeftOut(leftOut: readonly string[], most: number): void {
  if (leftOut.length === 0) return;
  print(
    `Not checked, because larger than limits.secrets (${formatSize(most)}): ${
      leftOut.join(", ")
    }`,
  );
}

function tellPeople(
  rows: Row[],
  columns: Column[],
  toTop: string,
  leftOut: readonly string[],
): void {
  if (rows.length === 0) {
    if (leftOut.length === 0) print("There are no encrypted files here");
    return;
  }
  printRaw(table([
    ["", ...columns.map(({ name }) => name)],
    ...rows.map(({ path, cells }) => [
      path,
      ...cells.map((cell) => signs[cell]),
    ]),
  ]));
  const wrong = rows.flatMap((row) =>
    wrongIn(row, columns).map((why) => `${row.path}: ${why}`)
  );
  const plain = rows.filter(({ problems }) => problems.includes(inPlaintext));
  const stale = rows.filter((row) =>
    !plain.includes(row) &&
    row.cells.some((cell) => cell === "missing" || cell === "extra")
  );
  print("");
  for (const line of wrong) print(line);
  const fixes: [string, Row[]][] = [["encrypt", plain], ["updatekeys", stale]];
  for (const [word, which] of fixes) {
    if (which.length === 0) continue;
    const paths = which.map(({ path }) =>
      toTop === "" ? path : `${toTop}/${path}`
    );
    printRaw(`fix: gitops-sync secrets ${word} ${paths.join(" ")}`);
  }
  if (wrong.length === 0 && leftOut.length === 0) {
    print(`${count(rows.length, "file")}, no problems`);
  }
}

function tellJson(
  exit: ExitCode,
  rows: Row[],
  columns: Column[],
  leftOut: readonly string[],
): void {
  printJson("secrets check", exit, {
    result: exit === exitCodes.ok ? "right" : "wrong",
    hosts: columns,
    leftOut,
    files: rows.map((row) => ({
      path: row.path,
      hosts: Object.fromEntries(
        columns.map(({ name }, i) => [name, row.cells[i]]),
      ),
      problems: wrongIn(row, columns),
    })),
  });
}
