/**
 * Holds what the program writes with `--json` to docs/json.schema.json.
 *
 * @module
 */
import { Ajv, type Validate } from "./std/ajv.ts";

type Json = Record<string, unknown>;

/** A part of a schema, as far as it is looked at here. */
interface Part {
  properties?: Record<string, { const?: unknown; enum?: unknown[] }>;
  additionalProperties?: unknown;
}

const path = new URL("../docs/json.schema.json", import.meta.url);

/** The schema as it is published: it lets keys that are new pass. */
export const schema: {
  anyOf: { $ref: string }[];
  $defs: Record<string, Part>;
} = JSON.parse(Deno.readTextFileSync(path));

/** The names of the definitions that are whole documents. */
export const documents: readonly string[] = schema.anyOf.map(({ $ref }) =>
  $ref.replace("#/$defs/", "")
);

/** The same for us, where each key must be in it. */
const closed = JSON.parse(JSON.stringify(schema), (_, value) => {
  const isObject = typeof value === "object" && value !== null &&
    value.type === "object" && value.properties !== undefined;
  return isObject ? { additionalProperties: false, ...value } : value;
});

const ajv = new Ajv({ strict: true, allErrors: true, allowUnionTypes: true });
const validators = new Map<string, Validate>();

/** Whether a value is one that a property of a document may have. */
function mayBe(document: string, key: string, value: unknown): boolean {
  const property = schema.$defs[document]?.properties?.[key];
  if (!property) return value === undefined;
  if ("const" in property) return property.const === value;
  return property.enum === undefined || property.enum.includes(value);
}

/** The definitions that a document can be, by what it says of itself. */
function definitionsOf({ command, result, published }: Json): string[] {
  return documents.filter((name) =>
    mayBe(name, "command", command) && mayBe(name, "result", result) &&
    mayBe(name, "published", published)
  );
}

function validatorOf(name: string): Validate {
  const known = validators.get(name);
  if (known) return known;
  const { $schema, $defs } = closed;
  const made = ajv.compile({ $schema, $defs, $ref: `#/$defs/${name}` });
  validators.set(name, made);
  return made;
}

/**
 * Whether a text is one document of the schema, down to each key.
 *
 * @throws {Error} what is wrong with it.
 */
export function mustFitSchema(text: string): void {
  const document: Json = JSON.parse(text);
  const names = definitionsOf(document);
  const problems = names.map((name) => {
    const validate = validatorOf(name);
    if (validate(document)) return undefined;
    const wrong = validate.errors!.map(({ instancePath, message, params }) =>
      `${instancePath} ${message} ${JSON.stringify(params)}`
    );
    return `${name}: ${wrong.join("; ")}`;
  });
  if (names.length > 0 && problems.includes(undefined)) return;
  throw new Error(
    `docs/json.schema.json does not describe ${document.command} ${
      document.result ?? ""
    }: ${problems.join("\n") || "it has no such document"}\n${text}`,
  );
}
