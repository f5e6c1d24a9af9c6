/**
 * Formats the status as one line for a terminal.
 *
 * @module
 */
import { oneLine, short } from "../../base/text.ts";
import type { Facts } from "../../report/agreement.ts";
import {
  askedClause,
  deploymentOf,
  factsOfAsked,
} from "../../report/status_text.ts";
import { hostStateOf } from "../../run/host_state.ts";
import { fit, widthOf } from "./width.ts";

/** A subject that is cut to fewer letters tells nothing. */
const shortestSubject = 8, longestSubject = 40;

/**
 * Returns the status in one line.
 *
 * @param columns The maximum width; the subject is cut first.
 */
export function statusLine(facts: Facts, columns = Infinity): string {
  const { config, systems } = facts;
  const deployment = deploymentOf(facts, systems.running);
  const head = `${config.host}: ${hostStateOf(facts)}, `;
  const tail = `, ${askedClause(factsOfAsked(facts))}`;
  if (!deployment) {
    return fit(`${head}no deployed system${tail}`, columns);
  }
  const { revision, subject } = deployment;
  const runs = short(revision);
  const room = columns - widthOf(head + runs + tail) - ` ""`.length;
  const said = oneLine(subject, longestSubject);
  const isShown = room >= Math.min(shortestSubject, widthOf(said));
  const name = isShown ? ` "${fit(said, room)}"` : "";
  return fit(`${head}${runs}${name}${tail}`, columns);
}
