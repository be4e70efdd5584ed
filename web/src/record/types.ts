/** A call's record, as GET /api/v1/calls/{id} answers (docs/api.md). Times are in milliseconds since 1970, the server's. */
export interface CallRecord {
  id: string;
  room: string;
  began: number;
  /** Absent while the call goes on. */
  ended?: number;
  /** When the record was made. */
  at: number;
  verdict: {level: 'good' | 'fair' | 'poor'; text: string; findings: Finding[]};
  people: Lane[];
  events: Entry[];
  restarts?: number[];
  omitted?: number;
  uncounted?: number;
}

export interface Finding {
  code: string;
  seat?: string;
  other?: string;
  fault?: 'person' | 'both' | 'path' | 'server';
  at?: number;
  ms?: number;
  count?: number;
  percent?: number;
  protocol?: string;
  cause?: string;
  /** The sentence in English, for codes that this page does not know. */
  text: string;
}

export interface Lane {
  seat: string;
  name: string;
  role?: string;
  client?: string;
  version?: string;
  address?: string;
  from: number;
  to?: number;
  /** By how many milliseconds the person's clock was behind. */
  clock?: number;
  path: PathSpan[];
  quality: QualitySpan[];
  links: Link[];
}

export interface PathSpan {
  from: number;
  to: number;
  state: 'alone' | 'unknown' | 'connecting' | 'direct' | 'relayed' | 'hub' | 'lost';
  protocol?: string;
  server?: string;
  away?: boolean;
}

export interface QualitySpan {
  from: number;
  to: number;
  level?: number;
  cause?: string;
}

export interface Candidate {
  type: string;
  protocol: string;
  address?: string;
  relay?: string;
}

export interface Link {
  with: string;
  gathered?: {[type: string]: number};
  tried?: number;
  failed?: number;
  won?: {local: Candidate; remote: Candidate};
  why?: string;
  iceMs?: number;
  dtlsMs?: number;
  firstPacketMs?: number;
  firstFrameMs?: number;
  restarts?: number;
  replaced?: number;
}

export interface Entry {
  id: number;
  /** The seat whose lane it is in. */
  who: string;
  /** The server itself saw it. */
  server?: boolean;
  at: number;
  got: number;
  kind: string;
  /** The other person's seat. */
  seat?: string;
  link?: string;
  source?: string;
  ms?: number;
  cause?: string;
  path?: {kind: string; protocol?: string; server?: string};
  candidates?: Candidate[];
  pair?: {local: Candidate; remote: Candidate; state: 'won' | 'tried' | 'failed'};
  level?: number;
  /** What the relay did, with its kinds. */
  relay?: {
    transport: string;
    port?: number;
    code?: number;
    up?: number;
    down?: number;
    permitted?: number;
    refused?: number;
  };
  /** Mean opinion score times 100. */
  score?: number;
}
