/** The shipped templates and texts, and data such as schools send, at its longest and at its barest. */
import { loadLocales } from "../../src/content/locales.ts";
import { loadTemplates } from "../../src/content/registry.ts";
import { createRenderer } from "../../src/content/render.ts";
import type { Subject } from "../../src/content/subject.ts";
import type { Template } from "../../src/content/template.ts";
import { DOMAIN_DATA } from "./domain-data.ts";

export const TEMPLATES_DIR = new URL("../../templates", import.meta.url).pathname;
export const LOCALES_DIR = new URL("../../locales", import.meta.url).pathname;

export const templates = loadTemplates({ dir: TEMPLATES_DIR });
export const locales = loadLocales({ dir: LOCALES_DIR });
export const renderer = createRenderer({ locales });

export const NOW = Date.parse("2026-08-12T09:00:00Z");
/** August and a two-digit day: the longest short date in most languages. */
export const DEADLINE = "2026-08-25T21:59:59Z";

/** Every field of every shipped template, with values of a realistic length. */
const LONG_DATA: Readonly<Record<string, unknown>> = {
  ...DOMAIN_DATA,
  student_name: "Maximiliana Featherstonehaugh",
  student_id: "student_12345",
  iep_id: "iep_12345",
  meeting_date: DEADLINE,
  meeting_type: "Annual Review",
  location: "Conference Room A, second floor, east wing",
  attendees: ["Teacher", "Parent", "Counselor"],
  case_manager: "Ms. Smith",
  deadline_date: DEADLINE,
  action_required: "Submit the review documents and sign page four",
  compliance_status: "On Track",
  batch_id: "batch-456",
  batch_name: "English essays, class 9A",
  class_id: "class-9a",
  class_name: "English 9A, autumn term",
  unmatched_count: 128,
  deadline_timestamp: DEADLINE,
  hours_remaining: 3.5,
  student_count: 28,
  added_count: 2,
  removed_count: 1,
  file_count: 28,
  reason: "Another batch with this name is already registered",
  status: "completed",
  failed_phase: "spellcheck",
  title: "The school closes at noon on Friday",
  body: "The heating is being repaired.\nPlease collect pupils by twelve.",
  url: "/news/heating",
  device: "Samsung Internet on Android, in the staff room",
  last_seen_date: "2026-07-08T08:30:00Z",
  expires_date: DEADLINE,
};

/** The two requests that the API description shows. */
export const MEETING = {
  student_name: "Sarah Johnson",
  meeting_date: "2025-09-15T14:00:00Z",
  location: "Conference Room A",
  attendees: ["Teacher", "Parent", "Counselor"],
  iep_id: "iep_12345",
};
export const WARNING = {
  student_name: "Michael Chen",
  deadline_date: "2025-09-20T23:59:59Z",
  days_remaining: 5,
  action_required: "Submit IEP review documents",
  iep_id: "iep_67890",
};

export function template(id: string): Template {
  const found = templates.get(id);
  if (found === undefined) throw new Error(`no template ${id}`);
  return found;
}

/** `LONG_DATA` cut down to the fields of one template, without those named. */
export function dataFor(
  { dataSchema }: Template,
  absent: readonly string[] = [],
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(LONG_DATA).filter(
      ([name]) => dataSchema.properties[name] !== undefined && !absent.includes(name),
    ),
  );
}

export function subject(
  data: Readonly<Record<string, unknown>>,
  rest: Partial<Subject> = {},
): Subject {
  return { data, locale: "en", timezone: undefined, deadline: DEADLINE, now: NOW, ...rest };
}

/** Every choice of absent optional fields that the template's texts know. */
export function absences({ variants }: Template): string[][] {
  return variants.reduce<string[][]>(
    (sets, name) => [...sets, ...sets.map((set) => [...set, name])],
    [[]],
  );
}
