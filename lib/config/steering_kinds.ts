/**
 * The kinds of options with which a person controls deployments, and of those
 * that select what is built.
 *
 * @module
 */
import { duration, type Kind, ref } from "./kinds.ts";
import { isPattern } from "./tag_pattern.ts";

/** Milliseconds after which a revision is deployed without approval, or a word. */
export type Approval = "none" | "manual" | number;

/** Whether a person has to approve a revision. */
export const approval: Kind<Approval> = {
  name: "`none`, `manual` or a duration",
  expected: "none, manual, or a duration of at most 24d such as 30m",
  read: (value) =>
    value === "none" || value === "manual" ? value : duration.read(value),
};

/** An id of a machine (machine-id(5)). */
export const machineId: Kind<string> = {
  name: "machine id",
  expected: "the 32 lowercase hexadecimal digits of /etc/machine-id, in quotes",
  read: (value) =>
    typeof value === "string" && /^[0-9a-f]{32}$/.test(value) &&
      // Of a machine that has none yet.
      !/^0+$/.test(value)
      ? value
      : undefined,
};

/** A branch; `{host}` stands for the name of the host. */
export const testingRef: Kind<string> = {
  name: "branch",
  expected: "a branch such as testing/{host}",
  read: (value) => {
    if (typeof value !== "string" || isPattern(value)) return undefined;
    const name = ref.read(value.replaceAll("{host}", "host"));
    const isBranch = name !== undefined &&
      !/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(name) &&
      (!name.startsWith("refs/") || name.startsWith("refs/heads/"));
    return isBranch ? value : undefined;
  },
};

/** An attribute path (Nix manual, "Attribute set"), without quoted names. */
export const attribute: Kind<string> = {
  name: "attribute",
  expected: "an attribute such as hosts.web or hosts.{host}, without quotes",
  read: (value) =>
    value === "" ||
      typeof value === "string" &&
        /^(?:[A-Za-z_][\w'-]*|\{host\})(?:\.(?:[A-Za-z_][\w'-]*|\{host\}))*$/
          .test(value)
      ? value as string
      : undefined,
};
