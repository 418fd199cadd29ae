// SPDX-License-Identifier: LGPL-2.1-or-later
/// <reference types="node" />
import { EventEmitter } from 'events';

/** How many bytes a page of memory has, here. */
export const PAGE_BYTES: number;

/** A meter as it is now. Those that are not waited for have no limit. */
export interface Meter {
    pages: number;
    bytes: number;
    limitPages?: number;
    limitBytes?: number;
    reached: boolean;
}

/** All meters by name; none while the control group whose memory is shown is removed. */
export interface State {
    [name: string]: Meter;
}

interface AnyEvent {
    /** In seconds, by the clock of process.hrtime(). */
    time: number;
}

/** A limit is reached, or is no longer. One that is reached already comes first. */
export interface LimitEvent extends AnyEvent {
    kind: 'reached' | 'left';
    meter: string;
    valuePages: number;
    valueBytes: number;
    limitPages: number;
    limitBytes: number;
}

/** The total is another: memory or swap was added or removed, or the limit of a control group was changed. */
export interface ChangedEvent extends AnyEvent {
    kind: 'changed';
    meter: string;
    valuePages: number;
    valueBytes: number;
    oldPages: number;
    oldBytes: number;
}

/** The control group whose memory is shown was removed, or made anew. */
export interface GroupEvent extends AnyEvent {
    kind: 'removed' | 'returned';
}

/** The control group that this process is in is about to be killed. */
export interface LastCallEvent extends AnyEvent {
    kind: 'last_call';
}

/** So many events are lost, because they were not read in time. */
export interface LostEvent extends AnyEvent {
    kind: 'lost';
    lost: number;
}

/** The server had ended, and is back. */
export interface ReconnectedEvent extends AnyEvent {
    kind: 'reconnected';
    state: State;
}

export type Event = LimitEvent | ChangedEvent | GroupEvent | LastCallEvent | LostEvent | ReconnectedEvent;

/** Limits that the server does not take. */
export class LimitError extends Error {
    code: 'EINVAL';
    limits: string;
    reason: string;
    /** Of the limits, from 1; undefined where no place is to blame. */
    column: number | undefined;
}

export interface ServerOptions {
    /**
     * A socket, or a mount point. Without it that of $MEMNOTIFYFS, else /run/memnotify.sock, else
     * $XDG_RUNTIME_DIR/memnotify.sock.
     */
    server?: string;
    /** Closes it when aborted. */
    signal?: AbortSignal;
}

export interface WatchOptions extends ServerOptions {
    /** Whether to wait also for a server that is not there at the start, which is an error otherwise. */
    patient?: boolean;
}

interface Events {
    /** Each event; it is also emitted by the name of its kind. */
    event: [event: Event];
    reached: [event: LimitEvent];
    left: [event: LimitEvent];
    changed: [event: ChangedEvent];
    removed: [event: GroupEvent];
    returned: [event: GroupEvent];
    last_call: [event: LastCallEvent];
    lost: [event: LostEvent];
    reconnected: [event: ReconnectedEvent];
    /** Once, before the first event: the limits are taken. */
    ready: [state: State];
    /** Bad limits are a LimitError; others have a code, as 'ENOENT'. It is closed then. */
    error: [error: LimitError | NodeJS.ErrnoException];
    /** The last: it has no descriptor any longer. */
    close: [];
}

export interface Watcher extends EventEmitter {
    on<Name extends keyof Events>(name: Name, listener: (...values: Events[Name]) => void): this;
    once<Name extends keyof Events>(name: Name, listener: (...values: Events[Name]) => void): this;
    off<Name extends keyof Events>(name: Name, listener: (...values: Events[Name]) => void): this;
    addListener<Name extends keyof Events>(name: Name, listener: (...values: Events[Name]) => void): this;
    removeListener<Name extends keyof Events>(name: Name, listener: (...values: Events[Name]) => void): this;
    close(): void;
    /** Lets it keep the process alive, as it does at first. */
    ref(): this;
    /** Lets the process end while it waits. */
    unref(): this;
}

export class Watcher {
    constructor(limits: string, options?: WatchOptions);
}

/** Waits for limits, written as in memnotifyfs(5): "used 80% available<512M". It outlives a restart of the server. */
export function watch(limits: string, options?: WatchOptions): Watcher;

/** All meters, in bytes, by name. */
export function meters(options?: ServerOptions): Promise<{ [name: string]: number }>;

export interface MemoryPressureOptions {
    /** Limits at which the listeners are told 'warning'; "available<10%". */
    warning?: string;
    /** Limits at which they are told 'critical'; "available<5%". */
    critical?: string;
    server?: string;
}

/** Lets process emit 'memoryPressure', as Bun does. Returns what ends that. */
export function memoryPressure(options?: MemoryPressureOptions): () => void;

declare global {
    namespace NodeJS {
        interface Process {
            on(event: 'memoryPressure', listener: (level: 'warning' | 'critical') => void): this;
            once(event: 'memoryPressure', listener: (level: 'warning' | 'critical') => void): this;
            addListener(event: 'memoryPressure', listener: (level: 'warning' | 'critical') => void): this;
        }
    }
}
