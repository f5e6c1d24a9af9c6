/**
 * Formats a plan for the page of `serve`.
 *
 * @module
 */
import { oneLine, short } from "../../base/text.ts";
import { changes, type Plan } from "../../plan/plan.ts";
import type { ShownPlan } from "../../report/page_facts.ts";
import { inks, type Row } from "../../report/row.ts";
import {
  commitsText,
  headline,
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

/** The maximum number of entries in a list; the rest is counted. */
const maxEntries = 40;

/**
 * Returns the plan as the page shows it.
 *
 * @returns `undefined` for a plan without a commit.
 */
export function shownPlan(plan: Plan, now: Date): ShownPlan | undefined {
  const { revision, failure, stops, notes } = plan;
  if (revision === undefined) return undefined;
  const isSame = changes(plan) === false;
  return {
    at: now.toISOString(),
    revision,
    headline: headline(plan),
    rows: [
      ...failure
        ? section("fails", [failure.message, ...failure.details.slice(-10)])
          .map((row) => ({ ...row, colour: inks.bad }))
        : [],
      ...section("commits", commitLines(plan)),
      ...isSame ? [] : section("packages", packageLines(plan)),
      ...isSame ? [] : section("units", unitRows(plan).map(namedText)),
      ...section("secrets", secretLines(plan)),
      ...isSame ? [] : section("reboot", [rebootText(plan)]),
      ...section("stops", stops.map(stopText)),
      ...section("notes", notes),
    ],
  };
}

/** Returns lines below one label. */
function section(label: string, lines: readonly string[]): Row[] {
  const some = lines.filter((line) => line !== "");
  const more = some.length - maxEntries;
  return [
    ...some.slice(0, maxEntries),
    ...more > 0 ? [`and ${more} more`] : [],
  ].map((line, i) => ({ label: i === 0 ? label : "", text: oneLine(line) }));
}

function commitLines(plan: Plan): string[] {
  const { commits } = plan;
  if (!commits || commits.count === 0) return [];
  return [
    commitsText(plan),
    ...commits.list.map(({ revision, subject, author, signature }) =>
      [`${short(revision)} "${subject}" by ${author}`, signatureText(signature)]
        .filter((text) => text !== "").join(", ")
    ),
  ];
}

function packageLines({ packages }: Plan): string[] {
  if (!packages) return [];
  return [
    packagesText(packages),
    ...packages.changed.map((change) => {
      const { mark, versions } = packageText(change);
      return `${mark} ${change.name} ${versions} ${signed(change.bytes)}`;
    }),
  ];
}

function namedText([label, names]: Named): string {
  const meaning = unitMeanings[label];
  return `${label}: ${names.join(", ")}${meaning ? ` (${meaning})` : ""}`;
}

function secretLines({ secrets, secretFiles }: Plan): string[] {
  return [
    ...secrets ? secretRows(secrets).map(namedText) : [],
    ...secretFiles
      ? secretRows(secretFiles).map(([label, names]) =>
        namedText([`${label} file`, names])
      )
      : [],
  ];
}
