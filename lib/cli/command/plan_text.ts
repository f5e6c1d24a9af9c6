/**
 * Formats a plan as lines, for a terminal or a file.
 *
 * @module
 */
import { type Ink, wrapped } from "../output/ink.ts";
import { inks } from "../../report/row.ts";
import { fill, fit, widthOf } from "../output/width.ts";
import { oneLine, short } from "../../base/text.ts";
import { changes, type Plan } from "../../plan/plan.ts";
import type { Commits } from "../../plan/commits.ts";
import type { PackageChange } from "../../plan/packages.ts";
import {
  commitsText,
  headline,
  type Mark,
  type Named,
  packagesText,
  packageText,
  rebootText,
  secretRows,
  signatureText,
  signed,
  stopText,
  unitMeanings,
  unitRows,
} from "./plan_words.ts";

/** The width and the colours of the output. */
export interface Paper {
  columns: number;
  ink: Ink;
}

/** The column in which the text of all sections begins. */
const margin = 10;

/** The maximum number of packages; JSON has all. */
const maxPackages = 40;

/**
 * A section: its name, its lines, and the colour of the name if it is a
 * warning.
 */
type Section = readonly [
  name: string,
  lines: readonly string[],
  colour?: string,
];

/** Formats a plan. */
export function planText(plan: Plan, paper: Paper): string {
  const isSame = changes(plan) === false;
  const all: Section[] = [
    [
      "plan",
      wrapAtMargin(headline(plan), paper).map((line) =>
        paper.ink(inks.bold, line)
      ),
    ],
    ["commits", commitLines(plan, paper)],
    ["packages", isSame ? [] : packageLines(plan, paper)],
    ["units", isSame ? [] : unitLines(plan, paper)],
    ["secrets", secretLines(plan, paper)],
    isSame ? ["reboot", []] : rebootSection(plan, paper),
    stopSection(plan, paper),
    ["notes", plan.notes.flatMap((note) => wrapAtMargin(oneLine(note), paper))],
  ];
  return all.filter(([, lines]) => lines.length > 0)
    .map((section) => sectionText(section, paper)).join("\n\n");
}

function sectionText([name, lines, colour]: Section, { ink }: Paper): string {
  return lines.map((line, i) =>
    `${
      i === 0
        ? ink(colour ?? inks.dim, name.padEnd(margin))
        : " ".repeat(margin)
    }${line}`
      .trimEnd()
  ).join("\n");
}

/**
 * Returns text in lines that fit to the right of the margin, broken at spaces.
 */
function wrapAtMargin(
  text: string,
  { columns }: Pick<Paper, "columns">,
  indent = 0,
): string[] {
  const room = Math.max(20, columns - margin - indent);
  return wrapped(text.trimStart(), room).map((one, i) =>
    i === 0 ? one : " ".repeat(indent) + one
  );
}

function commitLines(plan: Plan, paper: Paper): string[] {
  const { commits } = plan;
  if (!commits || commits.count === 0) return [];
  return [
    ...wrapAtMargin(commitsText(plan), paper),
    ...commitRows(commits, paper),
  ];
}

function commitRows({ list }: Commits, { columns, ink }: Paper): string[] {
  const rows = list.map(({ signature, ...commit }) => ({
    ...commit,
    author: fit(commit.author, 20),
    signature: signatureText(signature),
    isBad: signature.state === "bad",
  }));
  const width = Math.max(...rows.map(({ author }) => widthOf(author)));
  const mark = Math.max(...rows.map(({ signature }) => widthOf(signature)));
  const ofSign = mark === 0 ? 0 : Math.min(mark, 34) + 2;
  const room = Math.max(10, columns - margin - 14 - width - 2 - ofSign);
  return rows.map(({ revision, subject, author, signature, isBad }) => {
    const said = fit(signature, ofSign - 2);
    const sign = ofSign === 0 ? "" : `  ${isBad ? ink(inks.bad, said) : said}`;
    return `${ink(inks.bold, short(revision))}  ${fill(subject, room)}  ${
      fill(author, width)
    }${sign}`.trimEnd();
  });
}

const markInks: Readonly<Record<Mark, string>> = {
  "+": inks.good,
  "−": inks.bad,
  "~": inks.warning,
};

function packageLines({ packages }: Plan, paper: Paper): string[] {
  if (!packages) return [];
  const shown = packages.changed.slice(0, maxPackages);
  const more = packages.changed.length - shown.length;
  return [
    ...wrapAtMargin(packagesText(packages), paper),
    ...packageRows(shown, paper),
    ...more > 0 ? [`and ${more} more: --json shows all`] : [],
  ];
}

function packageRows(
  changed: readonly PackageChange[],
  { columns, ink }: Paper,
): string[] {
  const width = Math.min(
    32,
    Math.max(0, ...changed.map(({ name }) => widthOf(name))),
  );
  const size = Math.max(0, ...changed.map(({ bytes }) => signed(bytes).length));
  const most = Math.max(10, columns - margin - 2 - width - 2 - 2 - size);
  const texts = changed.map(packageText);
  const room = Math.min(
    most,
    Math.max(0, ...texts.map(({ versions }) => widthOf(versions))),
  );
  return changed.map(({ name, bytes }, i) => {
    const { mark, versions } = texts[i]!;
    return `${ink(markInks[mark], mark)} ${fill(name, width)}  ${
      fill(versions, room)
    }  ${signed(bytes).padStart(size)}`;
  });
}

/** The colours of the changes of units. */
const unitInks: Readonly<Record<string, string>> = {
  stop: inks.bad,
  removed: inks.bad,
  restart: inks.warning,
  reload: inks.warning,
  changed: inks.warning,
};

function unitLines(plan: Plan, paper: Paper): string[] {
  const { units, unitFiles } = plan;
  if (!units && !unitFiles) return [];
  const rows = unitRows(plan).map(([label, names]): Named => [
    label,
    // Short names, as systemctl accepts them: most units are services.
    names.map((name) => name.replace(/\.service$/, "")),
  ]);
  const other = units?.other ?? [];
  const lines = [
    ...namedLines(rows, paper, unitInks),
    ...other.length === 0 ? [] : [
      "the switch also reports:",
      ...other.flatMap((line) => wrapAtMargin(`  ${oneLine(line)}`, paper, 2)),
    ],
  ];
  return lines.length > 0 ? lines : ["no unit changes"];
}

/** Returns labels in a column of their own, with names to the right of them. */
function namedLines(
  rows: readonly Named[],
  paper: Paper,
  colours: Readonly<Record<string, string>>,
): string[] {
  const width = Math.max(0, ...rows.map(([label]) => label.length)) + 2;
  return rows.flatMap(([label, names]) => {
    const meaning = unitMeanings[label];
    const text = names.join(", ") + (meaning ? ` (${meaning})` : "");
    const [first = "", ...rest] = wrapAtMargin(text, paper, width);
    const code = colours[label];
    const head = label.padEnd(width);
    return [`${code ? paper.ink(code, head) : head}${first}`, ...rest];
  });
}

function secretLines(plan: Plan, paper: Paper): string[] {
  const { secrets, secretFiles } = plan;
  const rows = secrets ? secretRows(secrets) : [];
  const files = secretFiles ? secretRows(secretFiles) : [];
  const all = [
    ...rows,
    ...files.map(([label, names]): Named => [`${label} file`, names]),
  ];
  if (all.length === 0 && (secrets || secretFiles)) {
    return ["no secret changes"];
  }
  return namedLines(all, paper, {
    ...unitInks,
    "removed file": inks.bad,
    "changed file": inks.warning,
  });
}

function rebootSection(plan: Plan, paper: Paper): Section {
  const text = rebootText(plan);
  if (text === "") return ["reboot", []];
  const lines = wrapAtMargin(text, paper);
  return text === "not needed"
    ? ["reboot", lines]
    : ["reboot", lines, inks.warning];
}

function stopSection(
  { stops, would, target, failure }: Plan,
  paper: Paper,
): Section {
  if (stops.length === 0) {
    const isMute = would === "nothing" || !target || failure;
    return ["stops", isMute ? [] : ["nothing stops it"]];
  }
  const lines = stops.flatMap((stop) => [
    ...wrapAtMargin(stopText(stop), paper),
    ...stop.hints.flatMap((hint) => wrapAtMargin(`hint: ${hint}`, paper, 6)),
  ]);
  return ["stops", lines, inks.warning];
}
