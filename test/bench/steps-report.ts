/** The figures of the steps scenario as tables. */
import type { StepCost } from "./steps-ledger.ts";
import type { LoadedStep } from "./steps-load.ts";
import { formatUs, type Table } from "./table.ts";

const PROCESSES = ["api", "gateway", "worker", "redis", "generator"] as const;
/** The rest together is less than the last of them, as a rule. */
const SHOWN_COMMANDS = 14;

export function stepsTables(loads: readonly LoadedStep[], costs: readonly StepCost[]): Table[] {
  return [processTable(loads), ...loads.map((load) => commandTable(load)), stepTable(costs)];
}

function processTable(loads: readonly LoadedStep[]): Table {
  return {
    title: "Roles apart, processor time for each notification, in microseconds:",
    columns: [["load", ""], ...PROCESSES.map((name) => [name] as const)],
    rows: loads.map(({ load, eachUs }) => [
      load,
      ...PROCESSES.map((name) => formatUs(eachUs[name])),
    ]),
  };
}

function commandTable({ load, notifications, commands }: LoadedStep): Table {
  return {
    title: `${load}: Redis by command, time that passed there, also when others had the processor (what a script calls is in the script once more; the dearest of them):`,
    columns: [["command"], ["calls", "each"], ["us", "each"], ["us", "a call"]],
    rows: commands
      .slice(0, SHOWN_COMMANDS)
      .map(({ command, calls, us }) => [
        command,
        (calls / notifications).toFixed(2),
        (us / notifications).toFixed(1),
        (us / calls).toFixed(1),
      ]),
  };
}

function stepTable(costs: readonly StepCost[]): Table {
  const batches = [...new Set(costs.map(({ batch }) => batch))];
  const steps = [...new Set(costs.map(({ step }) => step))];
  const cell = (step: string, batch: number, what: "redisUs" | "nodeUs"): number | undefined =>
    costs.find((cost) => cost.step === step && cost.batch === batch)?.[what];
  const sum = (batch: number, what: "redisUs" | "nodeUs"): number =>
    steps.reduce((total, step) => total + (cell(step, batch, what) ?? 0), 0);
  return {
    title: "Each step by itself, in microseconds for each notification:",
    columns: [
      ["step", ""],
      ...batches.map((batch) => ["redis", `by ${batch}`] as const),
      ...batches.map((batch) => ["node", `by ${batch}`] as const),
    ],
    rows: [
      ...steps.map((step) => [
        step,
        ...batches.map((batch) => formatUs(cell(step, batch, "redisUs"))),
        ...batches.map((batch) => formatUs(cell(step, batch, "nodeUs"))),
      ]),
      [
        "all",
        ...batches.map((batch) => formatUs(sum(batch, "redisUs"))),
        ...batches.map((batch) => formatUs(sum(batch, "nodeUs"))),
      ],
    ],
  };
}
