/**
 * What every stage of one run shares: the effects, the configuration, and the
 * journal that lets the next run finish or undo this one.
 *
 * @module
 */
import { type Effects, say } from "../base/effects.ts";
import { type Stage, SyncError } from "../base/errors.ts";
import { formatDuration } from "../base/duration.ts";
import type { Config } from "../config/schema.ts";
import type {
  Attempt,
  Commit,
  Deployment,
  Gated,
  Hold,
  Left,
  StageTime,
  State,
  Target,
  Waiting,
} from "../state/state.ts";
import { bootId } from "../host/system.ts";
import { AttemptLog } from "../state/attempt_log.ts";
import { QuietServers } from "./quiet.ts";
import { writeState } from "../state/state_file.ts";

/** A run in progress. It holds the lock for its whole life. */
export class Run {
  readonly stages: StageTime[] = [];
  /**
   * How the repository is reached: as configured, or through the mirror that
   * answered. The stored state uses {@linkcode config}.
   */
  remote: Config;
  /** The log of the attempt, from {@linkcode begin} on. */
  log: AttemptLog | undefined;

  /** The servers in a pause; recorded when the run ends. */
  readonly quiet: QuietServers;

  constructor(
    /** Its effects; replaced by {@linkcode shield}. */
    public effects: Effects,
    readonly config: Config,
    /** The stored state; replaced as a whole by {@linkcode save}. */
    public state: State,
  ) {
    this.remote = config;
    this.quiet = new QuietServers(state.quiet);
  }

  /**
   * Protects the programs that the run starts from signals, until it ends: half
   * of a confirmation or of a rollback is worse than waiting.
   */
  shield(): void {
    const { effects } = this;
    this.effects = {
      ...effects,
      run: (command) => effects.run({ ...command, shielded: true }),
    };
  }

  /** Writes all later events to the log of the attempt as well. */
  keepLog(): void {
    const { effects, attempt: { id, commit: { revision } } } = this;
    const log = new AttemptLog(
      this.folder,
      id,
      () => effects.now(),
      (why) =>
        say(effects, "warning", `Cannot write the log of this attempt: ${why}`),
      this.config["serve.page"],
    );
    this.log = log;
    this.effects = {
      ...effects,
      tell: (event) => {
        log.tell(event);
        effects.tell(event);
      },
    };
    this.effects.tell({ kind: "attempt", id, revision });
  }

  /** The state folder. */
  get folder(): string {
    return this.config.stateDirectory;
  }

  /** Writes changes of the state to the disk before anything else happens. */
  async save(changes: Partial<State>): Promise<void> {
    await this.replace({ ...this.state, ...changes });
  }

  /** Writes another state in place of this one. */
  async replace(state: State): Promise<void> {
    await writeState(this.folder, state);
    this.state = state;
  }

  /** Notes in the journal how far this run has come. */
  async note(changes: Partial<Attempt>): Promise<void> {
    await this.save({ attempt: { ...this.attempt, ...changes } });
  }

  /** The same, for work that continues even if the journal cannot be written. */
  async noteIfPossible(changes: Partial<Attempt>): Promise<void> {
    try {
      await this.note(changes);
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
      say(this.effects, "warning", error.message, error.hints);
    }
  }

  /** The journal of this run. */
  get attempt(): Attempt {
    const { attempt } = this.state;
    if (!attempt) throw new Error("no attempt is in progress");
    return attempt;
  }

  /**
   * Runs one stage: notes it in the journal, reports its start and end, and
   * measures its time.
   *
   * @param text Describes the result in a few words.
   */
  async stage<T>(
    stage: Stage,
    work: () => Promise<T>,
    text: (result: T) => string,
  ): Promise<T> {
    const start = this.effects.monotonic();
    const elapsed = () => Math.round(this.effects.monotonic() - start);
    await this.note({ stage });
    this.effects.tell({ kind: "start", stage });
    try {
      const result = await work();
      this.effects.tell({
        kind: "done",
        stage,
        text: text(result),
        ms: elapsed(),
      });
      return result;
    } catch (error) {
      this.effects.tell({ kind: "failed", stage, ms: elapsed() });
      throw error;
    } finally {
      this.stages.push({ stage, ms: elapsed() });
    }
  }

  /** All stages and their times in one line. */
  get times(): string {
    return this.stages.map(({ stage, ms }) => `${stage} ${formatDuration(ms)}`)
      .join(", ");
  }
}

/** How an attempt ended, for the one place that records it. */
export type Ended =
  | {
    result: "deployed" | "corrected" | "tested" | "test-over";
    deployment: Deployment;
  }
  | { result: "waiting"; waiting: Waiting; until: string | null }
  | { result: "gated"; gated: Gated }
  | { result: "rolled-back"; deployment: Deployment; left: Left }
  | { result: "built"; system: string }
  | { result: "failed" | "interrupted"; error: SyncError };

/**
 * Records the end of an attempt in the state and the history. It is passed in,
 * because a stage must not know where things are recorded.
 */
export type Record = (run: Run, ended: Ended) => Promise<void>;

/**
 * Begins an attempt: writes it to the journal, and opens its log.
 *
 * @param more What else is known of it.
 */
export async function begin(
  run: Run,
  command: Attempt["command"],
  commit: Commit,
  target: Target,
  more: Pick<
    Attempt,
    "kind" | "name" | "left" | "testing" | "skipped" | "by"
  > = {},
): Promise<void> {
  const startedAt = run.effects.now().toISOString();
  // Readable, sortable, and good for the name of a unit.
  const time = startedAt.slice(0, 19).replace(/[-:]/g, "").replace("T", "-");
  const id = `${time}-${crypto.randomUUID().slice(0, 4)}`;
  await run.save({
    attempt: {
      id,
      command,
      commit,
      target,
      startedAt,
      stage: "decide",
      bootId: bootId(),
      ...more,
    },
  });
  run.keepLog();
}

/** Returns the hold on the attempted revision, for an error. */
export function holdFor(run: Run, error: SyncError): Hold {
  const { commit: { revision, digest }, target } = run.attempt;
  const { stage, reason, message, hints } = error;
  const since = run.effects.now().toISOString();
  return {
    revision,
    ...digest && { digest },
    target,
    stage,
    reason,
    message,
    hints,
    since,
  };
}
