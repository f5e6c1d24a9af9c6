/**
 * The workflows of `templates`, taken apart.
 *
 * @module
 */
import { parse } from "@std/yaml";

const templates = new URL("../../templates/", import.meta.url).pathname;

/** A step of a workflow, as GitHub and Forgejo have it. */
export interface Step {
  name?: string;
  uses?: string;
  run?: string;
  if?: string;
  env?: Readonly<Record<string, string>>;
  with?: Readonly<Record<string, unknown>>;
}

/** A job of it. */
export interface Job {
  permissions?: Readonly<Record<string, string>>;
  environment?: string;
  env?: Readonly<Record<string, string>>;
  steps: Step[];
}

/** A workflow. */
export interface Workflow {
  path: string;
  text: string;
  on: Readonly<Record<string, unknown>>;
  permissions?: Readonly<Record<string, string>>;
  jobs: Readonly<Record<string, Job>>;
}

/** The workflows of a forge, by their names. */
export function workflowsOf(
  forge: "github" | "forgejo",
): Record<string, Workflow> {
  const folder = `${templates}${forge}/.${forge}/workflows`;
  return Object.fromEntries(
    [...Deno.readDirSync(folder)].map(({ name }) => {
      const path = `${folder}/${name}`;
      const text = Deno.readTextFileSync(path);
      const read = parse(text) as Omit<Workflow, "path" | "text">;
      return [name.replace(".yml", ""), { ...read, path, text }];
    }),
  );
}

/** The shell of a step. */
export function runOf(workflow: Workflow | undefined, name: string): string {
  const step = Object.values(workflow?.jobs ?? {})
    .flatMap(({ steps }) => steps)
    .find((step) => step.name === name);
  if (step?.run === undefined) throw new Error(`no step ${name} with run`);
  return step.run;
}

/** The pipeline of GitLab: the shell of its jobs. */
export function gitlabJobs(): Record<
  string,
  { before_script?: string[]; script?: string[]; after_script?: string[] }
> {
  const path = `${templates}gitlab/.gitlab-ci.yml`;
  return parse(Deno.readTextFileSync(path)) as ReturnType<typeof gitlabJobs>;
}
