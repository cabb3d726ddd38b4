-- Written by `permits schema` from migrations/; a test compares them.
CREATE SCHEMA jobs;
CREATE EXTENSION IF NOT EXISTS btree_gist WITH SCHEMA public;
COMMENT ON EXTENSION btree_gist IS 'support for indexing common datatypes in GiST';
CREATE TYPE jobs.procrastinate_job_event_type AS ENUM (
    'deferred',
    'started',
    'deferred_for_retry',
    'failed',
    'succeeded',
    'cancelled',
    'abort_requested',
    'aborted',
    'scheduled',
    'retried'
);
CREATE TYPE jobs.procrastinate_job_status AS ENUM (
    'todo',
    'doing',
    'succeeded',
    'failed',
    'cancelled',
    'aborting',
    'aborted'
);
CREATE TYPE jobs.procrastinate_job_to_defer_v1 AS (
	queue_name character varying,
	task_name character varying,
	priority integer,
	lock text,
	queueing_lock text,
	args jsonb,
	scheduled_at timestamp with time zone
);
CREATE FUNCTION jobs.procrastinate_cancel_job_v1(job_id bigint, abort boolean, delete_job boolean) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    _job_id bigint;
BEGIN
    IF delete_job THEN
        DELETE FROM procrastinate_jobs
        WHERE id = job_id AND status = 'todo'
        RETURNING id INTO _job_id;
    END IF;
    IF _job_id IS NULL THEN
        IF abort THEN
            UPDATE procrastinate_jobs
            SET abort_requested = true,
                status = CASE status
                    WHEN 'todo' THEN 'cancelled'::procrastinate_job_status ELSE status
                END
            WHERE id = job_id AND status IN ('todo', 'doing')
            RETURNING id INTO _job_id;
        ELSE
            UPDATE procrastinate_jobs
            SET status = 'cancelled'::procrastinate_job_status
            WHERE id = job_id AND status = 'todo'
            RETURNING id INTO _job_id;
        END IF;
    END IF;
    RETURN _job_id;
END;
$$;
CREATE FUNCTION jobs.procrastinate_defer_jobs_v1(jobs jobs.procrastinate_job_to_defer_v1[]) RETURNS bigint[]
    LANGUAGE plpgsql
    AS $$
DECLARE
    job_ids bigint[];
BEGIN
    WITH inserted_jobs AS (
        INSERT INTO procrastinate_jobs (queue_name, task_name, priority, lock, queueing_lock, args, scheduled_at)
        SELECT (job).queue_name,
               (job).task_name,
               (job).priority,
               (job).lock,
               (job).queueing_lock,
               (job).args,
               (job).scheduled_at
        FROM unnest(jobs) AS job
        RETURNING id
    )
    SELECT array_agg(id) FROM inserted_jobs INTO job_ids;
    RETURN job_ids;
END;
$$;
CREATE FUNCTION jobs.procrastinate_defer_periodic_job_v2(_queue_name character varying, _lock character varying, _queueing_lock character varying, _task_name character varying, _priority integer, _periodic_id character varying, _defer_timestamp bigint, _args jsonb) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
	_job_id bigint;
	_defer_id bigint;
BEGIN
    INSERT
        INTO procrastinate_periodic_defers (task_name, periodic_id, defer_timestamp)
        VALUES (_task_name, _periodic_id, _defer_timestamp)
        ON CONFLICT DO NOTHING
        RETURNING id into _defer_id;
    IF _defer_id IS NULL THEN
        RETURN NULL;
    END IF;
    UPDATE procrastinate_periodic_defers
        SET job_id = (
            SELECT COALESCE((
                SELECT unnest(procrastinate_defer_jobs_v1(
                    ARRAY[
                        ROW(
                            _queue_name,
                            _task_name,
                            _priority,
                            _lock,
                            _queueing_lock,
                            _args,
                            NULL::timestamptz
                        )
                    ]::procrastinate_job_to_defer_v1[]
                ))
            ), NULL)
        )
        WHERE id = _defer_id
        RETURNING job_id INTO _job_id;
    DELETE
        FROM procrastinate_periodic_defers
        USING (
            SELECT id
            FROM procrastinate_periodic_defers
            WHERE procrastinate_periodic_defers.task_name = _task_name
            AND procrastinate_periodic_defers.periodic_id = _periodic_id
            AND procrastinate_periodic_defers.defer_timestamp < _defer_timestamp
            ORDER BY id
            FOR UPDATE
        ) to_delete
        WHERE procrastinate_periodic_defers.id = to_delete.id;
    RETURN _job_id;
END;
$$;
CREATE TABLE jobs.procrastinate_jobs (
    id bigint NOT NULL,
    queue_name character varying(128) NOT NULL,
    task_name character varying(128) NOT NULL,
    priority integer DEFAULT 0 NOT NULL,
    lock text,
    queueing_lock text,
    args jsonb DEFAULT '{}'::jsonb NOT NULL,
    status jobs.procrastinate_job_status DEFAULT 'todo'::jobs.procrastinate_job_status NOT NULL,
    scheduled_at timestamp with time zone,
    attempts integer DEFAULT 0 NOT NULL,
    abort_requested boolean DEFAULT false NOT NULL,
    worker_id bigint,
    CONSTRAINT check_not_todo_abort_requested CHECK ((NOT ((status = 'todo'::jobs.procrastinate_job_status) AND (abort_requested = true))))
);
CREATE FUNCTION jobs.procrastinate_fetch_job_v2(target_queue_names character varying[], p_worker_id bigint) RETURNS jobs.procrastinate_jobs
    LANGUAGE plpgsql
    AS $$
DECLARE
	found_jobs procrastinate_jobs;
BEGIN
    WITH candidate AS (
        SELECT jobs.*
            FROM procrastinate_jobs AS jobs
            WHERE
                -- reject the job if its lock has earlier or higher priority jobs
                NOT EXISTS (
                    SELECT 1
                        FROM procrastinate_jobs AS other_jobs
                        WHERE
                            jobs.lock IS NOT NULL
                            AND other_jobs.lock = jobs.lock
                            AND (
                                -- job with same lock is already running
                                other_jobs.status = 'doing'
                                OR
                                -- job with same lock is waiting and has higher priority (or same priority but was queued first)
                                (
                                    other_jobs.status = 'todo'
                                    AND (
                                        other_jobs.priority > jobs.priority
                                        OR (
                                        other_jobs.priority = jobs.priority
                                        AND other_jobs.id < jobs.id
                                        )
                                    )
                                )
                            )
                )
                AND jobs.status = 'todo'
                AND (target_queue_names IS NULL OR jobs.queue_name = ANY( target_queue_names ))
                AND (jobs.scheduled_at IS NULL OR jobs.scheduled_at <= now())
            ORDER BY jobs.priority DESC, jobs.id ASC LIMIT 1
            FOR UPDATE OF jobs SKIP LOCKED
    )
    UPDATE procrastinate_jobs
        SET status = 'doing', worker_id = p_worker_id
        FROM candidate
        WHERE procrastinate_jobs.id = candidate.id
        RETURNING procrastinate_jobs.* INTO found_jobs;
 RETURN found_jobs;
END;
$$;
CREATE FUNCTION jobs.procrastinate_finish_job_v1(job_id bigint, end_status jobs.procrastinate_job_status, delete_job boolean) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    _job_id bigint;
BEGIN
    IF end_status NOT IN ('succeeded', 'failed', 'aborted') THEN
        RAISE 'End status should be either "succeeded", "failed" or "aborted" (job id: %)', job_id;
    END IF;
    IF delete_job THEN
        DELETE FROM procrastinate_jobs
        WHERE id = job_id AND status IN ('todo', 'doing')
        RETURNING id INTO _job_id;
    ELSE
        UPDATE procrastinate_jobs
        SET status = end_status,
            abort_requested = false,
            attempts = CASE status
                WHEN 'doing' THEN attempts + 1 ELSE attempts
            END
        WHERE id = job_id AND status IN ('todo', 'doing')
        RETURNING id INTO _job_id;
    END IF;
    IF _job_id IS NULL THEN
        RAISE 'Job was not found or not in "doing" or "todo" status (job id: %)', job_id;
    END IF;
END;
$$;
CREATE FUNCTION jobs.procrastinate_notify_queue_abort_job_v1() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    payload TEXT;
BEGIN
    SELECT json_build_object('type', 'abort_job_requested', 'job_id', NEW.id)::text INTO payload;
	PERFORM pg_notify('procrastinate_queue_v1#' || NEW.queue_name, payload);
	PERFORM pg_notify('procrastinate_any_queue_v1', payload);
	RETURN NEW;
END;
$$;
CREATE FUNCTION jobs.procrastinate_notify_queue_job_inserted_v1() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    payload TEXT;
BEGIN
    SELECT json_build_object('type', 'job_inserted', 'job_id', NEW.id)::text INTO payload;
	PERFORM pg_notify('procrastinate_queue_v1#' || NEW.queue_name, payload);
	PERFORM pg_notify('procrastinate_any_queue_v1', payload);
	RETURN NEW;
END;
$$;
CREATE FUNCTION jobs.procrastinate_prune_stalled_workers_v1(seconds_since_heartbeat double precision) RETURNS TABLE(worker_id bigint)
    LANGUAGE plpgsql
    AS $$
BEGIN
    RETURN QUERY
    DELETE FROM procrastinate_workers
    WHERE last_heartbeat < NOW() - (seconds_since_heartbeat || 'SECOND')::INTERVAL
    RETURNING procrastinate_workers.id;
END;
$$;
CREATE FUNCTION jobs.procrastinate_register_worker_v1() RETURNS TABLE(worker_id bigint)
    LANGUAGE plpgsql
    AS $$
BEGIN
    RETURN QUERY
    INSERT INTO procrastinate_workers DEFAULT VALUES
    RETURNING procrastinate_workers.id;
END;
$$;
CREATE FUNCTION jobs.procrastinate_retry_job_v1(job_id bigint, retry_at timestamp with time zone, new_priority integer, new_queue_name character varying, new_lock character varying) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    _job_id bigint;
    _abort_requested boolean;
BEGIN
    SELECT abort_requested FROM procrastinate_jobs
    WHERE id = job_id AND status = 'doing'
    FOR UPDATE
    INTO _abort_requested;
    IF _abort_requested THEN
        UPDATE procrastinate_jobs
        SET status = 'failed'::procrastinate_job_status
        WHERE id = job_id AND status = 'doing'
        RETURNING id INTO _job_id;
    ELSE
        UPDATE procrastinate_jobs
        SET status = 'todo'::procrastinate_job_status,
            attempts = attempts + 1,
            scheduled_at = retry_at,
            priority = COALESCE(new_priority, priority),
            queue_name = COALESCE(new_queue_name, queue_name),
            lock = COALESCE(new_lock, lock)
        WHERE id = job_id AND status = 'doing'
        RETURNING id INTO _job_id;
    END IF;
    IF _job_id IS NULL THEN
        RAISE 'Job was not found or not in "doing" status (job id: %)', job_id;
    END IF;
END;
$$;
CREATE FUNCTION jobs.procrastinate_retry_job_v2(job_id bigint, retry_at timestamp with time zone, new_priority integer, new_queue_name character varying, new_lock character varying) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    _job_id bigint;
    _abort_requested boolean;
    _current_status procrastinate_job_status;
BEGIN
    SELECT status, abort_requested FROM procrastinate_jobs
    WHERE id = job_id AND status IN ('doing', 'failed')
    FOR UPDATE
    INTO _current_status, _abort_requested;
    IF _current_status = 'doing' AND _abort_requested THEN
        UPDATE procrastinate_jobs
        SET status = 'failed'::procrastinate_job_status
        WHERE id = job_id AND status = 'doing'
        RETURNING id INTO _job_id;
    ELSE
        UPDATE procrastinate_jobs
        SET status = 'todo'::procrastinate_job_status,
            attempts = attempts + 1,
            scheduled_at = retry_at,
            priority = COALESCE(new_priority, priority),
            queue_name = COALESCE(new_queue_name, queue_name),
            lock = COALESCE(new_lock, lock)
        WHERE id = job_id AND status IN ('doing', 'failed')
        RETURNING id INTO _job_id;
    END IF;
    IF _job_id IS NULL THEN
        RAISE 'Job was not found or has an invalid status to retry (job id: %)', job_id;
    END IF;
END;
$$;
CREATE FUNCTION jobs.procrastinate_trigger_abort_requested_events_procedure_v1() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO procrastinate_events(job_id, type)
        VALUES (NEW.id, 'abort_requested'::procrastinate_job_event_type);
    RETURN NEW;
END;
$$;
CREATE FUNCTION jobs.procrastinate_trigger_function_scheduled_events_v1() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO procrastinate_events(job_id, type, at)
        VALUES (NEW.id, 'scheduled'::procrastinate_job_event_type, NEW.scheduled_at);
	RETURN NEW;
END;
$$;
CREATE FUNCTION jobs.procrastinate_trigger_function_status_events_insert_v1() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO procrastinate_events(job_id, type)
        VALUES (NEW.id, 'deferred'::procrastinate_job_event_type);
	RETURN NEW;
END;
$$;
CREATE FUNCTION jobs.procrastinate_trigger_function_status_events_update_v1() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    WITH t AS (
        SELECT CASE
            WHEN OLD.status = 'todo'::procrastinate_job_status
                AND NEW.status = 'doing'::procrastinate_job_status
                THEN 'started'::procrastinate_job_event_type
            WHEN OLD.status = 'doing'::procrastinate_job_status
                AND NEW.status = 'todo'::procrastinate_job_status
                THEN 'deferred_for_retry'::procrastinate_job_event_type
            WHEN OLD.status = 'doing'::procrastinate_job_status
                AND NEW.status = 'failed'::procrastinate_job_status
                THEN 'failed'::procrastinate_job_event_type
            WHEN OLD.status = 'doing'::procrastinate_job_status
                AND NEW.status = 'succeeded'::procrastinate_job_status
                THEN 'succeeded'::procrastinate_job_event_type
            WHEN OLD.status = 'todo'::procrastinate_job_status
                AND (
                    NEW.status = 'cancelled'::procrastinate_job_status
                    OR NEW.status = 'failed'::procrastinate_job_status
                    OR NEW.status = 'succeeded'::procrastinate_job_status
                )
                THEN 'cancelled'::procrastinate_job_event_type
            WHEN OLD.status = 'doing'::procrastinate_job_status
                AND NEW.status = 'aborted'::procrastinate_job_status
                THEN 'aborted'::procrastinate_job_event_type
            WHEN OLD.status = 'failed'::procrastinate_job_status
                AND NEW.status = 'todo'::procrastinate_job_status
                THEN 'retried'::procrastinate_job_event_type
            ELSE NULL
        END as event_type
    )
    INSERT INTO procrastinate_events(job_id, type)
        SELECT NEW.id, t.event_type
        FROM t
        WHERE t.event_type IS NOT NULL;
	RETURN NEW;
END;
$$;
CREATE FUNCTION jobs.procrastinate_unlink_periodic_defers_v1() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE procrastinate_periodic_defers
    SET job_id = NULL
    WHERE job_id = OLD.id;
    RETURN OLD;
END;
$$;
CREATE FUNCTION jobs.procrastinate_unregister_worker_v1(worker_id bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    DELETE FROM procrastinate_workers
    WHERE id = worker_id;
END;
$$;
CREATE FUNCTION jobs.procrastinate_update_heartbeat_v1(worker_id bigint) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE procrastinate_workers
    SET last_heartbeat = NOW()
    WHERE id = worker_id;
END;
$$;
CREATE FUNCTION public.act_changes_a_standing_act() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    cited act;
    today date := (NEW.reserved_at AT TIME ZONE 'Europe/Paris')::date;
BEGIN
    IF NEW.state <> 'reserved' THEN
        RAISE EXCEPTION 'an act begins reserved' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.cites IS NULL THEN
        RETURN NEW;
    END IF;
    -- Not FOR UPDATE: applications that name the act hold its key while they wait for the chain, which we have.
    SELECT * INTO cited FROM act WHERE id = NEW.cites FOR NO KEY UPDATE;
    IF cited.authority <> NEW.authority OR cited.siret <> NEW.siret OR cited.client_id <> NEW.client_id
       OR cited.kind NOT IN ('permit', 'extension', 'correction') OR cited.state <> 'issued' THEN
        RAISE EXCEPTION 'act % is a % that is %: it can''t be changed', cited.label, cited.kind, cited.state
            USING ERRCODE = 'PX002';
    END IF;
    -- A ruling is of the permit's own application; what extends or corrects it answers one that names it.
    IF NOT EXISTS (
        SELECT 1 FROM application asked JOIN application first ON first.id = cited.application_id
        WHERE asked.id = NEW.application_id AND asked.sandbox = first.sandbox AND CASE
            WHEN NEW.kind IN ('abrogation', 'withdrawal') THEN asked.id = first.id
            ELSE asked.amends = cited.id END
    ) THEN
        RAISE EXCEPTION 'this act is not about the file of %', cited.label USING ERRCODE = 'PX002';
    END IF;
    IF EXISTS (SELECT 1 FROM act WHERE cites = NEW.cites AND state = 'reserved') THEN
        RAISE EXCEPTION 'another act on % is in hand', cited.label USING ERRCODE = 'PX002';
    END IF;
    IF NEW.kind IN ('extension', 'abrogation', 'withdrawal') AND act_is_extended(cited.id) THEN
        RAISE EXCEPTION 'act % is extended: its extension ends first', cited.label USING ERRCODE = 'PX003';
    END IF;
    IF NEW.kind = 'withdrawal' AND today > (act_first_taken_on(cited.id) + interval '4 months')::date THEN
        RAISE EXCEPTION 'act % is more than four months old: it can''t be withdrawn', cited.label
            USING ERRCODE = 'PX004';
    END IF;
    -- A day that has begun under the act is over before its holder can be told (CRPA art. L221-8).
    IF NEW.kind = 'abrogation' AND ((NEW.payload ->> 'effective_on')::date
       BETWEEN today + (cited.starts_on <= today)::integer AND cited.ends_on) IS NOT TRUE THEN
        RAISE EXCEPTION 'act % can only be abrogated for days to come', cited.label USING ERRCODE = 'PX005';
    END IF;
    IF (NEW.kind = 'extension' AND NEW.starts_on <> cited.ends_on + 1)
       OR (NEW.kind <> 'extension' AND (NEW.starts_on, NEW.ends_on) IS DISTINCT FROM (cited.starts_on, cited.ends_on))
    THEN
        RAISE EXCEPTION 'the days of this act don''t follow those of %', cited.label USING ERRCODE = 'PX002';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION public.act_first_taken_on(the_act uuid) RETURNS date
    LANGUAGE sql STABLE
    AS $$
    WITH RECURSIVE version AS (
        SELECT kind, cites, reserved_at FROM act WHERE id = the_act
        UNION ALL
        SELECT earlier.kind, earlier.cites, earlier.reserved_at
        FROM act earlier JOIN version ON version.kind = 'correction' AND earlier.id = version.cites
    )
    SELECT (min(reserved_at) AT TIME ZONE 'Europe/Paris')::date FROM version
$$;
CREATE FUNCTION public.act_footprint_comes_with_its_act() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM act WHERE id = NEW.act_id) OR NOT NEW.live THEN
        RAISE EXCEPTION 'a footprint is recorded before its act, never after'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION public.act_footprint_follows_its_act() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    holder act;
    left_over daterange;
BEGIN
    SELECT * INTO holder FROM act WHERE id = OLD.act_id;
    left_over := OLD.period * daterange(NULL, holder.ended_on);
    IF (to_jsonb(NEW) - ARRAY['live', 'period']) = (to_jsonb(OLD) - ARRAY['live', 'period']) AND OLD.live THEN
        IF NOT NEW.live AND NEW.period = OLD.period AND (holder.state IN ('annulled', 'withdrawn', 'superseded')
               OR (holder.state = 'abrogated' AND isempty(left_over))) THEN
            RETURN NEW;
        END IF;
        IF NEW.live AND holder.state = 'abrogated' AND NEW.period = left_over THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'a footprint only follows its act' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE FUNCTION public.act_is_extended(the_act uuid) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
    WITH RECURSIVE version AS (
        SELECT id, kind, cites FROM act WHERE id = the_act
        UNION ALL
        SELECT earlier.id, earlier.kind, earlier.cites
        FROM act earlier JOIN version ON version.kind = 'correction' AND earlier.id = version.cites
    ), extension AS (
        SELECT act.id, act.state, act.ended_by, act.ended_on > act.starts_on AS covered
        FROM act JOIN version ON act.cites = version.id
        WHERE act.kind = 'extension'
        UNION ALL
        SELECT later.id, later.state, later.ended_by, later.ended_on > later.starts_on
        FROM act later JOIN extension ON extension.state = 'superseded' AND later.id = extension.ended_by
    )
    SELECT EXISTS (SELECT 1 FROM extension WHERE state IN ('reserved', 'issued') OR (state = 'abrogated' AND covered))
$$;
CREATE FUNCTION public.act_is_notified_when_issued() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM act WHERE id = NEW.act_id AND NEW.notified_on BETWEEN
            (issued_at AT TIME ZONE 'Europe/Paris')::date AND (NEW.recorded_at AT TIME ZONE 'Europe/Paris')::date
    ) THEN
        RAISE EXCEPTION 'an act is notified from its issue on, never in advance'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION public.act_moves_only_forward() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    moving text[] := ARRAY['state', 'issued_at', 'document_sha256', 'ended_on', 'ended_by', 'annulled_because'];
    ending act;
    sealed_on date;
BEGIN
    IF (to_jsonb(NEW) - moving) IS DISTINCT FROM (to_jsonb(OLD) - moving) THEN
        RAISE EXCEPTION 'act % is frozen', OLD.label USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.state = 'reserved' AND NEW.state IN ('issued', 'annulled') THEN
        sealed_on := (NEW.issued_at AT TIME ZONE 'Europe/Paris')::date;
        IF NEW.kind = 'abrogation' AND NEW.state = 'issued'
           AND (NEW.payload ->> 'effective_on')::date < sealed_on + (NEW.starts_on <= sealed_on)::integer THEN
            RAISE EXCEPTION 'abrogation % is past its day', OLD.label USING ERRCODE = 'PX005';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state = 'issued' AND NEW.state IN ('abrogated', 'withdrawn', 'superseded')
       AND NEW.issued_at = OLD.issued_at AND NEW.document_sha256 = OLD.document_sha256 THEN
        SELECT * INTO ending FROM act WHERE id = NEW.ended_by;
        IF ending.cites = OLD.id AND ending.state = 'issued' AND (ending.kind, NEW.state) IN
               (('abrogation', 'abrogated'), ('withdrawal', 'withdrawn'), ('correction', 'superseded'))
           AND (NEW.ended_on IS NULL OR NEW.ended_on = (ending.payload ->> 'effective_on')::date) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'act % is % and can''t become % so', OLD.label, OLD.state, NEW.state
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE FUNCTION public.act_takes_effect() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NEW.state IN ('annulled', 'withdrawn', 'superseded') THEN
        UPDATE act_footprint SET live = false WHERE act_id = NEW.id AND live;
    ELSIF NEW.state = 'abrogated' THEN
        UPDATE act_footprint SET live = false WHERE act_id = NEW.id AND live AND NEW.ended_on <= lower(period);
        UPDATE act_footprint SET period = period * daterange(NULL, NEW.ended_on) WHERE act_id = NEW.id AND live;
    ELSIF NEW.kind = 'abrogation' THEN
        UPDATE act SET state = 'abrogated', ended_by = NEW.id, ended_on = (NEW.payload ->> 'effective_on')::date
            WHERE id = NEW.cites;
    ELSIF NEW.kind = 'withdrawal' THEN
        UPDATE act SET state = 'withdrawn', ended_by = NEW.id WHERE id = NEW.cites;
    ELSIF NEW.kind = 'correction' THEN
        UPDATE act SET state = 'superseded', ended_by = NEW.id WHERE id = NEW.cites;
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION public.act_takes_the_counter() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM counter c WHERE c.authority = NEW.authority AND c.series = NEW.series
                   AND c.year = NEW.year AND c.value = NEW.number) THEN
        RAISE EXCEPTION 'number % was not given by the counter', NEW.label
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION public.append_audit(the_authority text, the_event text, told_at text, the_entry text) RETURNS bigint
    LANGUAGE plpgsql
    AS $$
DECLARE
    head audit_head;
    line text;
    hash text;
BEGIN
    head := lock_audit_head(the_authority);
    -- The canonical JSON of permits.domain.canonical, its keys in order.
    line := '{"at":' || to_json(told_at) || ',"authority":' || to_json(the_authority) || ',"entry":' || the_entry
        || ',"event":' || to_json(the_event) || ',"position":' || head.position + 1
        || ',"previous_sha256":"' || head.sha256 || '"}';
    hash := encode(sha256(convert_to(line, 'UTF8')), 'hex');
    INSERT INTO audit_entry (authority, position, at, event, entry, previous_sha256, sha256)
    VALUES (the_authority, head.position + 1, told_at::timestamptz, the_event, the_entry::jsonb, head.sha256, hash);
    UPDATE audit_head SET position = head.position + 1, sha256 = hash WHERE authority = the_authority;
    RETURN head.position + 1;
END $$;
CREATE FUNCTION public.application_is_decided_once() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    decided text[] := ARRAY['outcome', 'facts', 'decision', 'rulebook_digest', 'decided_at'];
BEGIN
    IF OLD.outcome <> 'awaiting_registry' OR (to_jsonb(NEW) - decided) IS DISTINCT FROM (to_jsonb(OLD) - decided) THEN
        RAISE EXCEPTION 'application % is frozen', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION public.counter_steps_by_one() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NEW.value <> OLD.value + 1
       OR (NEW.authority, NEW.series, NEW.year) IS DISTINCT FROM (OLD.authority, OLD.series, OLD.year) THEN
        RAISE EXCEPTION 'a counter only steps by one' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION public.file_runs_until(the_application uuid) RETURNS date
    LANGUAGE sql STABLE
    AS $$
    WITH RECURSIVE file AS (
        SELECT the_application AS id
        UNION
        SELECT linked.id FROM file CROSS JOIN LATERAL (
            SELECT cited.application_id AS id
            FROM application later JOIN act cited ON cited.id = later.amends WHERE later.id = file.id
            UNION ALL
            SELECT later.id FROM act cited JOIN application later ON later.amends = cited.id
            WHERE cited.application_id = file.id AND cited.kind IN ('permit', 'extension', 'correction')
        ) linked
    ), answer AS (
        SELECT act.id, act.application_id, act.kind, act.state, act.reserved_at, act.ends_on, act.ended_on
        FROM file JOIN act ON act.application_id = file.id
        WHERE act.kind IN ('permit', 'extension', 'correction') OR (act.kind = 'refusal' AND act.state <> 'annulled')
    ), taken AS (
        SELECT kind, state, reserved_at, ends_on, ended_on FROM answer
        UNION ALL
        SELECT ruling.kind, ruling.state, ruling.reserved_at, ruling.ends_on, ruling.ended_on
        FROM answer JOIN act ruling ON ruling.cites = answer.id WHERE ruling.kind IN ('abrogation', 'withdrawal')
    )
    SELECT CASE WHEN NOT EXISTS (SELECT 1 FROM taken WHERE state = 'reserved')
                 AND NOT EXISTS (SELECT 1 FROM file JOIN application a USING (id)
                                 WHERE a.outcome = 'awaiting_registry') THEN
        greatest(
            (SELECT max(greatest((reserved_at AT TIME ZONE 'Europe/Paris')::date, CASE
                WHEN state = 'issued' AND kind IN ('permit', 'extension', 'correction') THEN ends_on
                WHEN state = 'abrogated' THEN ended_on - 1 END)) FROM taken),
            (SELECT max(greatest((a.decided_at AT TIME ZONE 'Europe/Paris')::date, (a.body ->> 'ends_on')::date))
             FROM file JOIN application a USING (id)
             WHERE NOT EXISTS (SELECT 1 FROM answer WHERE answer.application_id = a.id)))
    END
$$;
CREATE FUNCTION public.give_number(the_authority text, the_series text, the_year integer, act_id uuid, the_kind text, the_cites uuid, the_author text, the_application uuid, the_client uuid, the_code text, the_siret text, first_day date, last_day date, the_fee numeric, the_payload text, told_at text, the_event text, the_entry text, number_mark text, payload_mark text) RETURNS TABLE(given_label text, given_sha256 text, audit_position bigint)
    LANGUAGE plpgsql
    AS $$
DECLARE
    given integer;
    -- Read before the lock: in it, only the number is written in.
    frozen jsonb := the_payload::jsonb;
BEGIN
    -- The chain first: every writer needs it, and nobody waits for it with a number in hand.
    PERFORM lock_audit_head(the_authority);
    IF the_kind IN ('permit', 'extension') AND issuing_is_halted(the_authority) THEN
        RAISE EXCEPTION 'issuing is suspended' USING ERRCODE = 'PX001';
    END IF;
    INSERT INTO counter AS c (authority, series, year, value) VALUES (the_authority, the_series, the_year, 1)
        ON CONFLICT (authority, series, year) DO UPDATE SET value = c.value + 1 RETURNING value INTO given;
    given_label := the_series || '-' || the_year || '-' || lpad(given::text, greatest(6, length(given::text)), '0');
    the_payload := replace(the_payload, number_mark, given_label);
    given_sha256 := encode(sha256(convert_to(the_payload, 'UTF8')), 'hex');
    INSERT INTO act (id, authority, series, year, number, label, kind, cites, taken_by, application_id, client_id,
                     state, code, siret, starts_on, ends_on, fee_total, payload, payload_sha256, reserved_at)
    VALUES (act_id, the_authority, the_series, the_year, given, given_label, the_kind, the_cites, the_author,
            the_application, the_client, 'reserved', the_code, the_siret, first_day, last_day, the_fee,
            jsonb_set(frozen, '{number}', to_jsonb(given_label)), given_sha256, told_at::timestamptz);
    audit_position := append_audit(the_authority, the_event, told_at,
        replace(replace(the_entry, number_mark, given_label), payload_mark, given_sha256));
    RETURN NEXT;
END $$;
CREATE FUNCTION public.issuing_is_halted(the_authority text) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
    SELECT coalesce(
        (SELECT halted FROM issuing_switch WHERE authority = the_authority ORDER BY id DESC LIMIT 1), false)
$$;
CREATE TABLE public.audit_head (
    authority text NOT NULL,
    "position" bigint NOT NULL,
    sha256 text NOT NULL
)
WITH (fillfactor='10');
CREATE FUNCTION public.lock_audit_head(the_authority text) RETURNS public.audit_head
    LANGUAGE plpgsql
    AS $$
DECLARE
    head audit_head;
BEGIN
    SELECT * INTO head FROM audit_head WHERE authority = the_authority FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO audit_head VALUES (the_authority, 0, repeat('0', 64)) ON CONFLICT DO NOTHING;
        SELECT * INTO STRICT head FROM audit_head WHERE authority = the_authority FOR UPDATE;
    END IF;
    RETURN head;
END $$;
CREATE FUNCTION public.refuse() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION '% on % is not allowed: the register keeps everything', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE FUNCTION public.registry_access_is_answered_once() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF OLD.outcome IS NOT NULL OR (to_jsonb(NEW) - 'outcome') IS DISTINCT FROM (to_jsonb(OLD) - 'outcome') THEN
        RAISE EXCEPTION 'trace % is frozen', OLD.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION public.registry_wait_follows_its_application() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    asked application;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (to_jsonb(NEW) - ARRAY['retry_at', 'tries', 'reason'])
           IS DISTINCT FROM (to_jsonb(OLD) - ARRAY['retry_at', 'tries', 'reason']) THEN
            RAISE EXCEPTION 'a place in the queue stays the same' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' THEN
        SELECT * INTO asked FROM application WHERE id = OLD.application_id;
        IF asked.outcome = 'awaiting_registry' THEN
            RAISE EXCEPTION 'application % still waits', asked.id USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN OLD;
    END IF;
    SELECT * INTO asked FROM application WHERE id = NEW.application_id;
    IF (asked.outcome, asked.authority, asked.received_at)
       IS DISTINCT FROM ('awaiting_registry', NEW.authority, NEW.since) THEN
        RAISE EXCEPTION 'this application does not wait so' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION public.rulebook_step_is_in_order() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    today date := (NEW.taken_at AT TIME ZONE 'Europe/Paris')::date;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM rulebook WHERE digest = NEW.digest AND authority = NEW.authority) THEN
        RAISE EXCEPTION 'this rulebook is another authority''s' USING ERRCODE = 'PX006';
    END IF;
    IF NEW.step = 'adopted' THEN
        IF NEW.effective_on <> today OR EXISTS (SELECT 1 FROM rulebook_step WHERE authority = NEW.authority) THEN
            RAISE EXCEPTION 'only a book without a rulebook adopts one' USING ERRCODE = 'PX006';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.effective_on <= today THEN
        RAISE EXCEPTION 'a rulebook takes effect in the future' USING ERRCODE = 'PX007';
    END IF;
    IF NEW.step = 'published' AND NOT EXISTS (
        SELECT 1 FROM rulebook_step WHERE step = 'proposed' AND taken_by <> NEW.taken_by
            AND (authority, digest, effective_on) = (NEW.authority, NEW.digest, NEW.effective_on)
            AND id > (
                SELECT coalesce(max(id), 0) FROM rulebook_step
                WHERE step = 'published' AND (authority, effective_on) = (NEW.authority, NEW.effective_on))
    ) THEN
        RAISE EXCEPTION 'somebody else must have proposed this rulebook for this day' USING ERRCODE = 'PX008';
    END IF;
    RETURN NEW;
END $$;
CREATE TABLE jobs.procrastinate_events (
    id bigint NOT NULL,
    job_id bigint NOT NULL,
    type jobs.procrastinate_job_event_type,
    at timestamp with time zone DEFAULT now()
);
CREATE SEQUENCE jobs.procrastinate_events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE jobs.procrastinate_events_id_seq OWNED BY jobs.procrastinate_events.id;
CREATE SEQUENCE jobs.procrastinate_jobs_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE jobs.procrastinate_jobs_id_seq OWNED BY jobs.procrastinate_jobs.id;
CREATE TABLE jobs.procrastinate_periodic_defers (
    id bigint NOT NULL,
    task_name character varying(128) NOT NULL,
    defer_timestamp bigint,
    job_id bigint,
    periodic_id character varying(128) DEFAULT ''::character varying NOT NULL
);
CREATE SEQUENCE jobs.procrastinate_periodic_defers_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE jobs.procrastinate_periodic_defers_id_seq OWNED BY jobs.procrastinate_periodic_defers.id;
CREATE TABLE jobs.procrastinate_workers (
    id bigint NOT NULL,
    last_heartbeat timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE jobs.procrastinate_workers ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME jobs.procrastinate_workers_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.access_log (
    id bigint NOT NULL,
    authority text NOT NULL,
    at timestamp with time zone NOT NULL,
    client_id uuid NOT NULL,
    request_id uuid NOT NULL,
    what text NOT NULL,
    subject text,
    CONSTRAINT access_log_check CHECK (((what = 'permits'::text) = (subject IS NULL))),
    CONSTRAINT access_log_what_check CHECK ((what = ANY (ARRAY['application'::text, 'permits'::text, 'act'::text, 'document'::text])))
);
ALTER TABLE public.access_log ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.access_log_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.act (
    id uuid NOT NULL,
    authority text NOT NULL,
    series text NOT NULL,
    year integer NOT NULL,
    number integer NOT NULL,
    label text NOT NULL,
    application_id uuid NOT NULL,
    client_id uuid NOT NULL,
    state text NOT NULL,
    code text NOT NULL,
    siret text NOT NULL,
    starts_on date NOT NULL,
    ends_on date NOT NULL,
    fee_total numeric(12,2) NOT NULL,
    payload jsonb NOT NULL,
    payload_sha256 text NOT NULL,
    reserved_at timestamp with time zone NOT NULL,
    issued_at timestamp with time zone,
    document_sha256 text,
    kind text NOT NULL,
    cites uuid,
    taken_by text,
    ended_on date,
    ended_by uuid,
    annulled_because text,
    CONSTRAINT act_abrogated_from_a_day CHECK (((state = 'abrogated'::text) = (ended_on IS NOT NULL))),
    CONSTRAINT act_annulled_with_a_reason CHECK (((state = 'annulled'::text) = (annulled_because IS NOT NULL))),
    CONSTRAINT act_check CHECK ((ends_on >= starts_on)),
    CONSTRAINT act_cites_what_it_changes CHECK (((cites IS NULL) = (kind = ANY (ARRAY['permit'::text, 'refusal'::text])))),
    CONSTRAINT act_code_check CHECK ((length(code) >= 22)),
    CONSTRAINT act_ended_by_another CHECK (((state = ANY (ARRAY['abrogated'::text, 'withdrawn'::text, 'superseded'::text])) = (ended_by IS NOT NULL))),
    CONSTRAINT act_fee_total_check CHECK ((fee_total >= (0)::numeric)),
    CONSTRAINT act_has_its_document CHECK ((((state = ANY (ARRAY['reserved'::text, 'annulled'::text])) = (document_sha256 IS NULL)) AND ((document_sha256 IS NULL) = (issued_at IS NULL)))),
    CONSTRAINT act_kind_check CHECK ((kind = ANY (ARRAY['permit'::text, 'extension'::text, 'correction'::text, 'refusal'::text, 'abrogation'::text, 'withdrawal'::text]))),
    CONSTRAINT act_number_check CHECK ((number > 0)),
    CONSTRAINT act_payload_sha256_check CHECK ((payload_sha256 ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT act_reason_is_told CHECK ((length(btrim(annulled_because)) >= 10)),
    CONSTRAINT act_ruling_is_taken_by_a_person CHECK (
CASE
    WHEN (taken_by IS NULL) THEN (kind = ANY (ARRAY['permit'::text, 'extension'::text]))
    ELSE (length(btrim(taken_by)) > 0)
END),
    CONSTRAINT act_state CHECK ((state = ANY (ARRAY['reserved'::text, 'issued'::text, 'abrogated'::text, 'withdrawn'::text, 'superseded'::text, 'annulled'::text])))
);
ALTER TABLE ONLY public.act ALTER COLUMN payload SET STORAGE EXTERNAL;
CREATE TABLE public.act_footprint (
    act_id uuid NOT NULL,
    occupancy integer NOT NULL,
    authority text NOT NULL,
    footprint_core polygon NOT NULL,
    period daterange NOT NULL,
    worksite_key text NOT NULL,
    space text NOT NULL,
    live boolean DEFAULT true NOT NULL,
    CONSTRAINT act_footprint_period_check CHECK ((NOT isempty(period))),
    CONSTRAINT act_footprint_space_check CHECK ((space = ANY (ARRAY['street'::text, 'sandbox'::text])))
);
CREATE TABLE public.act_notification (
    act_id uuid NOT NULL,
    notified_on date NOT NULL,
    channel text NOT NULL,
    proof text NOT NULL,
    recorded_by text,
    recorded_at timestamp with time zone NOT NULL,
    CONSTRAINT act_notification_channel_check CHECK ((channel = ANY (ARRAY['online'::text, 'registered_email'::text, 'registered_letter'::text, 'hand_delivery'::text]))),
    CONSTRAINT act_notification_proof_check CHECK ((length(btrim(proof)) > 0))
);
CREATE TABLE public.application (
    id uuid NOT NULL,
    authority text NOT NULL,
    client_id uuid NOT NULL,
    idempotency_key text NOT NULL,
    body_sha256 text NOT NULL,
    received_at timestamp with time zone NOT NULL,
    outcome text NOT NULL,
    siret text NOT NULL,
    worksite_key text NOT NULL,
    assurance integer NOT NULL,
    payer_assurance integer NOT NULL,
    body jsonb NOT NULL,
    facts jsonb,
    decision jsonb,
    rulebook_digest text,
    decided_at timestamp with time zone,
    amends uuid,
    sandbox boolean DEFAULT false NOT NULL,
    CONSTRAINT application_body_sha256_check CHECK ((body_sha256 ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT application_check CHECK (((outcome = 'awaiting_registry'::text) OR ((facts IS NOT NULL) AND (decision IS NOT NULL) AND (rulebook_digest IS NOT NULL) AND (decided_at IS NOT NULL)))),
    CONSTRAINT application_idempotency_key_check CHECK (((length(idempotency_key) >= 1) AND (length(idempotency_key) <= 255))),
    CONSTRAINT application_outcome_check CHECK ((outcome = ANY (ARRAY['granted'::text, 'referred'::text, 'awaiting_registry'::text]))),
    CONSTRAINT application_siret_check CHECK ((siret ~ '^[0-9]{14}$'::text))
);
CREATE TABLE public.application_contact (
    application_id uuid NOT NULL,
    email text,
    phone text
);
ALTER TABLE ONLY public.application_contact ALTER COLUMN email SET STATISTICS 0;
ALTER TABLE ONLY public.application_contact ALTER COLUMN phone SET STATISTICS 0;
CREATE TABLE public.application_evidence (
    application_id uuid NOT NULL,
    answer jsonb NOT NULL,
    about_a_person boolean NOT NULL,
    asked_at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY public.application_evidence ALTER COLUMN answer SET STATISTICS 0;
CREATE TABLE public.archive_copy (
    sha256 text NOT NULL,
    act_id uuid NOT NULL,
    content bytea NOT NULL,
    level text NOT NULL,
    made_from text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    renew_before timestamp with time zone,
    CONSTRAINT archive_copy_check CHECK ((sha256 = encode(sha256(content), 'hex'::text))),
    CONSTRAINT archive_copy_level_check CHECK ((level = ANY (ARRAY['B-T'::text, 'B-LT'::text, 'B-LTA'::text])))
);
ALTER TABLE ONLY public.archive_copy ALTER COLUMN content SET STORAGE EXTERNAL;
CREATE TABLE public.audit_entry (
    authority text NOT NULL,
    "position" bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    event text NOT NULL,
    entry jsonb NOT NULL,
    previous_sha256 text NOT NULL,
    sha256 text NOT NULL,
    CONSTRAINT audit_entry_position_check CHECK (("position" > 0))
);
CREATE TABLE public.client (
    id uuid NOT NULL,
    authority text NOT NULL,
    name text NOT NULL,
    key_id text NOT NULL,
    key_sha256 text NOT NULL,
    sirens text[] NOT NULL,
    created_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    sandbox boolean DEFAULT false NOT NULL,
    erased_at timestamp with time zone,
    CONSTRAINT client_erased_is_blank CHECK (((erased_at IS NULL) OR ((revoked_at IS NOT NULL) AND (name = ''::text) AND (key_sha256 = repeat('0'::text, 64)) AND (sirens = '{}'::text[])))),
    CONSTRAINT client_key_sha256_check CHECK ((key_sha256 ~ '^[0-9a-f]{64}$'::text))
);
ALTER TABLE ONLY public.client ALTER COLUMN name SET STATISTICS 0;
ALTER TABLE ONLY public.client ALTER COLUMN key_sha256 SET STATISTICS 0;
CREATE TABLE public.code_key (
    authority text NOT NULL,
    kid text NOT NULL,
    public_key jsonb NOT NULL,
    first_used_at timestamp with time zone NOT NULL
);
CREATE TABLE public.counter (
    authority text NOT NULL,
    series text NOT NULL,
    year integer NOT NULL,
    value integer NOT NULL,
    CONSTRAINT counter_value_check CHECK ((value > 0))
)
WITH (fillfactor='10');
CREATE TABLE public.document (
    sha256 text NOT NULL,
    content bytea NOT NULL,
    stored_at timestamp with time zone NOT NULL,
    level text DEFAULT 'B-B'::text NOT NULL,
    stamp_deferred boolean DEFAULT false NOT NULL,
    CONSTRAINT document_check CHECK ((sha256 = encode(sha256(content), 'hex'::text))),
    CONSTRAINT document_check1 CHECK (((NOT stamp_deferred) OR (level = 'B-B'::text))),
    CONSTRAINT document_level_check CHECK ((level = ANY (ARRAY['B-B'::text, 'B-T'::text, 'B-LT'::text])))
);
ALTER TABLE ONLY public.document ALTER COLUMN content SET STORAGE EXTERNAL;
CREATE TABLE public.issuing_switch (
    id bigint NOT NULL,
    authority text NOT NULL,
    halted boolean NOT NULL,
    reason text NOT NULL,
    turned_by text NOT NULL,
    turned_at timestamp with time zone NOT NULL,
    CONSTRAINT issuing_switch_reason_check CHECK ((length(btrim(reason)) > 0))
);
ALTER TABLE public.issuing_switch ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.issuing_switch_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.registry_access (
    id bigint NOT NULL,
    authority text NOT NULL,
    at timestamp with time zone NOT NULL,
    source text NOT NULL,
    siret text NOT NULL,
    purpose text NOT NULL,
    about uuid,
    client_id uuid,
    request_id uuid,
    outcome text,
    CONSTRAINT registry_access_outcome_check CHECK ((outcome = ANY (ARRAY['found'::text, 'not_found'::text, 'protected'::text, 'no_answer'::text, 'not_asked'::text, 'reused'::text]))),
    CONSTRAINT registry_access_purpose_check CHECK ((purpose = ANY (ARRAY['filing'::text, 'preview'::text, 'consultation'::text, 'waiting'::text, 'sealing'::text, 'operation'::text]))),
    CONSTRAINT registry_access_siret_check CHECK ((siret ~ '^[0-9]{14}$'::text))
);
ALTER TABLE ONLY public.registry_access ALTER COLUMN siret SET STATISTICS 0;
ALTER TABLE public.registry_access ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.registry_access_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.registry_switch (
    id bigint NOT NULL,
    authority text NOT NULL,
    source text NOT NULL,
    off boolean NOT NULL,
    reason text NOT NULL,
    turned_by text NOT NULL,
    turned_at timestamp with time zone NOT NULL,
    CONSTRAINT registry_switch_reason_check CHECK ((length(btrim(reason)) > 0)),
    CONSTRAINT registry_switch_source_check CHECK ((source = ANY (ARRAY['api-entreprise'::text, 'recherche-entreprises'::text, 'insee'::text])))
);
ALTER TABLE public.registry_switch ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.registry_switch_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.registry_wait (
    application_id uuid NOT NULL,
    authority text NOT NULL,
    since timestamp with time zone NOT NULL,
    retry_at timestamp with time zone NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    reason text NOT NULL,
    CONSTRAINT registry_wait_tries_check CHECK ((tries >= 0))
);
CREATE TABLE public.rulebook (
    digest text NOT NULL,
    authority text NOT NULL,
    files jsonb NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    CONSTRAINT rulebook_digest_check CHECK ((digest ~ '^[0-9a-f]{64}$'::text))
);
CREATE TABLE public.rulebook_step (
    id bigint NOT NULL,
    authority text NOT NULL,
    step text NOT NULL,
    digest text NOT NULL,
    effective_on date NOT NULL,
    taken_by text NOT NULL,
    taken_at timestamp with time zone NOT NULL,
    CONSTRAINT rulebook_step_step_check CHECK ((step = ANY (ARRAY['adopted'::text, 'proposed'::text, 'published'::text]))),
    CONSTRAINT rulebook_step_taken_by_check CHECK ((taken_by <> ''::text))
);
ALTER TABLE public.rulebook_step ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.rulebook_step_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.seal_certificate (
    authority text NOT NULL,
    sha256 text NOT NULL,
    certificate bytea NOT NULL,
    chain text NOT NULL,
    first_used_at timestamp with time zone NOT NULL,
    CONSTRAINT seal_certificate_check CHECK ((sha256 = encode(sha256(certificate), 'hex'::text)))
);
ALTER TABLE ONLY jobs.procrastinate_events ALTER COLUMN id SET DEFAULT nextval('jobs.procrastinate_events_id_seq'::regclass);
ALTER TABLE ONLY jobs.procrastinate_jobs ALTER COLUMN id SET DEFAULT nextval('jobs.procrastinate_jobs_id_seq'::regclass);
ALTER TABLE ONLY jobs.procrastinate_periodic_defers ALTER COLUMN id SET DEFAULT nextval('jobs.procrastinate_periodic_defers_id_seq'::regclass);
ALTER TABLE ONLY jobs.procrastinate_events
    ADD CONSTRAINT procrastinate_events_pkey PRIMARY KEY (id);
ALTER TABLE ONLY jobs.procrastinate_jobs
    ADD CONSTRAINT procrastinate_jobs_pkey PRIMARY KEY (id);
ALTER TABLE ONLY jobs.procrastinate_periodic_defers
    ADD CONSTRAINT procrastinate_periodic_defers_pkey PRIMARY KEY (id);
ALTER TABLE ONLY jobs.procrastinate_periodic_defers
    ADD CONSTRAINT procrastinate_periodic_defers_unique UNIQUE (task_name, periodic_id, defer_timestamp);
ALTER TABLE ONLY jobs.procrastinate_workers
    ADD CONSTRAINT procrastinate_workers_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.access_log
    ADD CONSTRAINT access_log_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.act
    ADD CONSTRAINT act_authority_label_key UNIQUE (authority, label);
ALTER TABLE ONLY public.act
    ADD CONSTRAINT act_authority_series_year_number_key UNIQUE (authority, series, year, number);
ALTER TABLE ONLY public.act
    ADD CONSTRAINT act_code_key UNIQUE (code);
ALTER TABLE ONLY public.act_footprint
    ADD CONSTRAINT act_footprint_pkey PRIMARY KEY (act_id, occupancy);
ALTER TABLE ONLY public.act_notification
    ADD CONSTRAINT act_notification_pkey PRIMARY KEY (act_id);
ALTER TABLE ONLY public.act
    ADD CONSTRAINT act_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.application
    ADD CONSTRAINT application_client_id_idempotency_key_key UNIQUE (client_id, idempotency_key);
ALTER TABLE ONLY public.application_contact
    ADD CONSTRAINT application_contact_pkey PRIMARY KEY (application_id);
ALTER TABLE ONLY public.application_evidence
    ADD CONSTRAINT application_evidence_pkey PRIMARY KEY (application_id);
ALTER TABLE ONLY public.application
    ADD CONSTRAINT application_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.archive_copy
    ADD CONSTRAINT archive_copy_made_from_key UNIQUE (made_from);
ALTER TABLE ONLY public.archive_copy
    ADD CONSTRAINT archive_copy_pkey PRIMARY KEY (sha256);
ALTER TABLE ONLY public.audit_entry
    ADD CONSTRAINT audit_entry_pkey PRIMARY KEY (authority, "position");
ALTER TABLE ONLY public.audit_entry
    ADD CONSTRAINT audit_entry_sha256_key UNIQUE (sha256);
ALTER TABLE ONLY public.audit_head
    ADD CONSTRAINT audit_head_pkey PRIMARY KEY (authority);
ALTER TABLE ONLY public.client
    ADD CONSTRAINT client_key_id_key UNIQUE (key_id);
ALTER TABLE ONLY public.client
    ADD CONSTRAINT client_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.code_key
    ADD CONSTRAINT code_key_pkey PRIMARY KEY (authority, kid);
ALTER TABLE ONLY public.counter
    ADD CONSTRAINT counter_pkey PRIMARY KEY (authority, series, year);
ALTER TABLE ONLY public.document
    ADD CONSTRAINT document_pkey PRIMARY KEY (sha256);
ALTER TABLE ONLY public.issuing_switch
    ADD CONSTRAINT issuing_switch_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.act_footprint
    ADD CONSTRAINT no_double_booking EXCLUDE USING gist (footprint_core WITH &&, period WITH &&, authority WITH =, space WITH =, worksite_key WITH <>) WHERE (live);
ALTER TABLE ONLY public.registry_access
    ADD CONSTRAINT registry_access_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.registry_switch
    ADD CONSTRAINT registry_switch_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.registry_wait
    ADD CONSTRAINT registry_wait_pkey PRIMARY KEY (application_id);
ALTER TABLE ONLY public.rulebook
    ADD CONSTRAINT rulebook_pkey PRIMARY KEY (digest);
ALTER TABLE ONLY public.rulebook_step
    ADD CONSTRAINT rulebook_step_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.seal_certificate
    ADD CONSTRAINT seal_certificate_pkey PRIMARY KEY (authority, sha256);
CREATE INDEX idx_procrastinate_jobs_worker_not_null ON jobs.procrastinate_jobs USING btree (worker_id) WHERE ((worker_id IS NOT NULL) AND (status = 'doing'::jobs.procrastinate_job_status));
CREATE INDEX idx_procrastinate_workers_last_heartbeat ON jobs.procrastinate_workers USING btree (last_heartbeat);
CREATE INDEX procrastinate_events_job_id_fkey_v1 ON jobs.procrastinate_events USING btree (job_id);
CREATE INDEX procrastinate_jobs_id_lock_idx_v1 ON jobs.procrastinate_jobs USING btree (id, lock) WHERE (status = ANY (ARRAY['todo'::jobs.procrastinate_job_status, 'doing'::jobs.procrastinate_job_status]));
CREATE UNIQUE INDEX procrastinate_jobs_lock_idx_v1 ON jobs.procrastinate_jobs USING btree (lock) WHERE (status = 'doing'::jobs.procrastinate_job_status);
CREATE INDEX procrastinate_jobs_priority_idx_v1 ON jobs.procrastinate_jobs USING btree (priority DESC, id) WHERE (status = 'todo'::jobs.procrastinate_job_status);
CREATE INDEX procrastinate_jobs_queue_name_idx_v1 ON jobs.procrastinate_jobs USING btree (queue_name);
CREATE UNIQUE INDEX procrastinate_jobs_queueing_lock_idx_v1 ON jobs.procrastinate_jobs USING btree (queueing_lock) WHERE (status = 'todo'::jobs.procrastinate_job_status);
CREATE INDEX procrastinate_periodic_defers_job_id_fkey_v1 ON jobs.procrastinate_periodic_defers USING btree (job_id);
CREATE INDEX access_log_by_subject ON public.access_log USING btree (subject, at);
CREATE INDEX access_log_by_time ON public.access_log USING btree (authority, at);
CREATE UNIQUE INDEX act_answers_once ON public.act USING btree (application_id) WHERE ((kind = ANY (ARRAY['permit'::text, 'extension'::text, 'correction'::text])) OR ((kind = 'refusal'::text) AND (state <> 'annulled'::text)));
CREATE INDEX act_by_cites ON public.act USING btree (cites) WHERE (cites IS NOT NULL);
CREATE INDEX act_by_client ON public.act USING btree (client_id, year DESC, number DESC);
CREATE INDEX act_by_company ON public.act USING btree (client_id, siret, year DESC, number DESC);
CREATE INDEX act_by_day ON public.act USING gist (client_id, daterange(starts_on, ends_on, '[]'::text));
CREATE INDEX act_by_state ON public.act USING btree (client_id, state, year DESC, number DESC);
CREATE UNIQUE INDEX act_changed_once ON public.act USING btree (cites) WHERE ((kind = ANY (ARRAY['correction'::text, 'abrogation'::text, 'withdrawal'::text])) AND (state <> 'annulled'::text));
CREATE UNIQUE INDEX act_extended_once ON public.act USING btree (cites) WHERE ((kind = 'extension'::text) AND ((state = ANY (ARRAY['reserved'::text, 'issued'::text])) OR ((state = 'abrogated'::text) AND (ended_on > starts_on))));
CREATE UNIQUE INDEX act_has_a_document_of_its_own ON public.act USING btree (document_sha256) WHERE (document_sha256 IS NOT NULL);
CREATE INDEX act_reserved ON public.act USING btree (reserved_at) WHERE (state = 'reserved'::text);
CREATE INDEX application_by_amends ON public.application USING btree (amends) WHERE (amends IS NOT NULL);
CREATE INDEX application_evidence_about_a_person ON public.application_evidence USING btree (application_id) WHERE about_a_person;
CREATE INDEX application_waiting ON public.application USING btree (authority, received_at) WHERE (outcome = 'awaiting_registry'::text);
CREATE INDEX archive_copy_of ON public.archive_copy USING btree (act_id, made_at);
CREATE INDEX archive_copy_only_dated ON public.archive_copy USING btree (act_id) WHERE (level = 'B-T'::text);
CREATE INDEX audit_entry_withdrawals ON public.audit_entry USING btree (authority) WHERE (event = 'key_withdrawn'::text);
CREATE INDEX document_awaiting_stamp ON public.document USING btree (stored_at) WHERE stamp_deferred;
CREATE INDEX issuing_switch_last ON public.issuing_switch USING btree (authority, id DESC);
CREATE INDEX registry_access_by_siret ON public.registry_access USING btree (siret, at);
CREATE INDEX registry_access_by_time ON public.registry_access USING btree (authority, at);
CREATE INDEX registry_switch_last ON public.registry_switch USING btree (authority, source, id DESC);
CREATE INDEX registry_wait_in_order ON public.registry_wait USING btree (authority, since, application_id);
CREATE TRIGGER procrastinate_jobs_notify_queue_job_aborted_v1 AFTER UPDATE OF abort_requested ON jobs.procrastinate_jobs FOR EACH ROW WHEN (((old.abort_requested = false) AND (new.abort_requested = true) AND (new.status = 'doing'::jobs.procrastinate_job_status))) EXECUTE FUNCTION jobs.procrastinate_notify_queue_abort_job_v1();
CREATE TRIGGER procrastinate_jobs_notify_queue_job_inserted_v1 AFTER INSERT ON jobs.procrastinate_jobs FOR EACH ROW WHEN ((new.status = 'todo'::jobs.procrastinate_job_status)) EXECUTE FUNCTION jobs.procrastinate_notify_queue_job_inserted_v1();
CREATE TRIGGER procrastinate_trigger_abort_requested_events_v1 AFTER UPDATE OF abort_requested ON jobs.procrastinate_jobs FOR EACH ROW WHEN ((new.abort_requested = true)) EXECUTE FUNCTION jobs.procrastinate_trigger_abort_requested_events_procedure_v1();
CREATE TRIGGER procrastinate_trigger_delete_jobs_v1 BEFORE DELETE ON jobs.procrastinate_jobs FOR EACH ROW EXECUTE FUNCTION jobs.procrastinate_unlink_periodic_defers_v1();
CREATE TRIGGER procrastinate_trigger_scheduled_events_v1 AFTER INSERT OR UPDATE ON jobs.procrastinate_jobs FOR EACH ROW WHEN (((new.scheduled_at IS NOT NULL) AND (new.status = 'todo'::jobs.procrastinate_job_status))) EXECUTE FUNCTION jobs.procrastinate_trigger_function_scheduled_events_v1();
CREATE TRIGGER procrastinate_trigger_status_events_insert_v1 AFTER INSERT ON jobs.procrastinate_jobs FOR EACH ROW WHEN ((new.status = 'todo'::jobs.procrastinate_job_status)) EXECUTE FUNCTION jobs.procrastinate_trigger_function_status_events_insert_v1();
CREATE TRIGGER procrastinate_trigger_status_events_update_v1 AFTER UPDATE OF status ON jobs.procrastinate_jobs FOR EACH ROW EXECUTE FUNCTION jobs.procrastinate_trigger_function_status_events_update_v1();
CREATE TRIGGER access_log_never_changes BEFORE UPDATE ON public.access_log FOR EACH ROW EXECUTE FUNCTION public.refuse();
CREATE TRIGGER act_changes_a_standing_act BEFORE INSERT ON public.act FOR EACH ROW EXECUTE FUNCTION public.act_changes_a_standing_act();
CREATE TRIGGER act_footprint_comes_with_its_act BEFORE INSERT ON public.act_footprint FOR EACH ROW EXECUTE FUNCTION public.act_footprint_comes_with_its_act();
CREATE TRIGGER act_footprint_follows_its_act BEFORE UPDATE ON public.act_footprint FOR EACH ROW EXECUTE FUNCTION public.act_footprint_follows_its_act();
CREATE TRIGGER act_footprint_is_never_deleted BEFORE DELETE ON public.act_footprint FOR EACH ROW EXECUTE FUNCTION public.refuse();
CREATE TRIGGER act_footprint_is_never_emptied BEFORE TRUNCATE ON public.act_footprint FOR EACH STATEMENT EXECUTE FUNCTION public.refuse();
CREATE TRIGGER act_is_never_deleted BEFORE DELETE ON public.act FOR EACH ROW EXECUTE FUNCTION public.refuse();
CREATE TRIGGER act_is_never_emptied BEFORE TRUNCATE ON public.act FOR EACH STATEMENT EXECUTE FUNCTION public.refuse();
CREATE TRIGGER act_is_notified_when_issued BEFORE INSERT ON public.act_notification FOR EACH ROW EXECUTE FUNCTION public.act_is_notified_when_issued();
CREATE TRIGGER act_moves_only_forward BEFORE UPDATE ON public.act FOR EACH ROW EXECUTE FUNCTION public.act_moves_only_forward();
CREATE TRIGGER act_notification_is_never_emptied BEFORE TRUNCATE ON public.act_notification FOR EACH STATEMENT EXECUTE FUNCTION public.refuse();
CREATE TRIGGER act_notification_never_changes BEFORE DELETE OR UPDATE ON public.act_notification FOR EACH ROW EXECUTE FUNCTION public.refuse();
CREATE TRIGGER act_takes_effect AFTER UPDATE ON public.act FOR EACH ROW EXECUTE FUNCTION public.act_takes_effect();
CREATE TRIGGER act_takes_the_counter BEFORE INSERT ON public.act FOR EACH ROW EXECUTE FUNCTION public.act_takes_the_counter();
CREATE TRIGGER application_evidence_never_changes BEFORE UPDATE ON public.application_evidence FOR EACH ROW EXECUTE FUNCTION public.refuse();
CREATE TRIGGER application_evidence_of_a_company_is_kept BEFORE DELETE ON public.application_evidence FOR EACH ROW WHEN ((NOT old.about_a_person)) EXECUTE FUNCTION public.refuse();
CREATE TRIGGER application_is_decided_once BEFORE UPDATE ON public.application FOR EACH ROW EXECUTE FUNCTION public.application_is_decided_once();
CREATE TRIGGER application_is_never_deleted BEFORE DELETE ON public.application FOR EACH ROW EXECUTE FUNCTION public.refuse();
CREATE TRIGGER application_is_never_emptied BEFORE TRUNCATE ON public.application FOR EACH STATEMENT EXECUTE FUNCTION public.refuse();
CREATE TRIGGER archive_copy_is_never_emptied BEFORE TRUNCATE ON public.archive_copy FOR EACH STATEMENT EXECUTE FUNCTION public.refuse();
CREATE TRIGGER archive_copy_never_changes BEFORE DELETE OR UPDATE ON public.archive_copy FOR EACH ROW EXECUTE FUNCTION public.refuse();
CREATE TRIGGER audit_entry_is_never_emptied BEFORE TRUNCATE ON public.audit_entry FOR EACH STATEMENT EXECUTE FUNCTION public.refuse();
CREATE TRIGGER audit_entry_never_changes BEFORE DELETE OR UPDATE ON public.audit_entry FOR EACH ROW EXECUTE FUNCTION public.refuse();
CREATE TRIGGER audit_head_is_never_deleted BEFORE DELETE ON public.audit_head FOR EACH ROW EXECUTE FUNCTION public.refuse();
CREATE TRIGGER audit_head_is_never_emptied BEFORE TRUNCATE ON public.audit_head FOR EACH STATEMENT EXECUTE FUNCTION public.refuse();
CREATE TRIGGER audit_head_steps_by_one BEFORE UPDATE ON public.audit_head FOR EACH ROW WHEN (((new."position" <> (old."position" + 1)) OR (new.authority <> old.authority))) EXECUTE FUNCTION public.refuse();
CREATE TRIGGER code_key_is_never_emptied BEFORE TRUNCATE ON public.code_key FOR EACH STATEMENT EXECUTE FUNCTION public.refuse();
CREATE TRIGGER code_key_never_changes BEFORE DELETE OR UPDATE ON public.code_key FOR EACH ROW EXECUTE FUNCTION public.refuse();
CREATE TRIGGER counter_begins_at_one BEFORE INSERT ON public.counter FOR EACH ROW WHEN ((new.value <> 1)) EXECUTE FUNCTION public.refuse();
CREATE TRIGGER counter_is_never_deleted BEFORE DELETE ON public.counter FOR EACH ROW EXECUTE FUNCTION public.refuse();
CREATE TRIGGER counter_is_never_emptied BEFORE TRUNCATE ON public.counter FOR EACH STATEMENT EXECUTE FUNCTION public.refuse();
CREATE TRIGGER counter_steps_by_one BEFORE UPDATE ON public.counter FOR EACH ROW EXECUTE FUNCTION public.counter_steps_by_one();
CREATE TRIGGER document_is_never_emptied BEFORE TRUNCATE ON public.document FOR EACH STATEMENT EXECUTE FUNCTION public.refuse();
CREATE TRIGGER document_never_changes BEFORE DELETE OR UPDATE ON public.document FOR EACH ROW EXECUTE FUNCTION public.refuse();
CREATE TRIGGER issuing_switch_is_never_emptied BEFORE TRUNCATE ON public.issuing_switch FOR EACH STATEMENT EXECUTE FUNCTION public.refuse();
CREATE TRIGGER issuing_switch_never_changes BEFORE DELETE OR UPDATE ON public.issuing_switch FOR EACH ROW EXECUTE FUNCTION public.refuse();
CREATE TRIGGER registry_access_is_answered_once BEFORE UPDATE ON public.registry_access FOR EACH ROW EXECUTE FUNCTION public.registry_access_is_answered_once();
CREATE TRIGGER registry_switch_is_never_emptied BEFORE TRUNCATE ON public.registry_switch FOR EACH STATEMENT EXECUTE FUNCTION public.refuse();
CREATE TRIGGER registry_switch_never_changes BEFORE DELETE OR UPDATE ON public.registry_switch FOR EACH ROW EXECUTE FUNCTION public.refuse();
CREATE TRIGGER registry_wait_follows_its_application BEFORE INSERT OR DELETE OR UPDATE ON public.registry_wait FOR EACH ROW EXECUTE FUNCTION public.registry_wait_follows_its_application();
CREATE TRIGGER registry_wait_is_never_emptied BEFORE TRUNCATE ON public.registry_wait FOR EACH STATEMENT EXECUTE FUNCTION public.refuse();
CREATE TRIGGER rulebook_is_never_emptied BEFORE TRUNCATE ON public.rulebook FOR EACH STATEMENT EXECUTE FUNCTION public.refuse();
CREATE TRIGGER rulebook_never_changes BEFORE DELETE OR UPDATE ON public.rulebook FOR EACH ROW EXECUTE FUNCTION public.refuse();
CREATE TRIGGER rulebook_step_is_in_order BEFORE INSERT ON public.rulebook_step FOR EACH ROW EXECUTE FUNCTION public.rulebook_step_is_in_order();
CREATE TRIGGER rulebook_step_is_never_emptied BEFORE TRUNCATE ON public.rulebook_step FOR EACH STATEMENT EXECUTE FUNCTION public.refuse();
CREATE TRIGGER rulebook_step_never_changes BEFORE DELETE OR UPDATE ON public.rulebook_step FOR EACH ROW EXECUTE FUNCTION public.refuse();
CREATE TRIGGER seal_certificate_is_never_emptied BEFORE TRUNCATE ON public.seal_certificate FOR EACH STATEMENT EXECUTE FUNCTION public.refuse();
CREATE TRIGGER seal_certificate_never_changes BEFORE DELETE OR UPDATE ON public.seal_certificate FOR EACH ROW EXECUTE FUNCTION public.refuse();
ALTER TABLE ONLY jobs.procrastinate_events
    ADD CONSTRAINT procrastinate_events_job_id_fkey FOREIGN KEY (job_id) REFERENCES jobs.procrastinate_jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY jobs.procrastinate_jobs
    ADD CONSTRAINT procrastinate_jobs_worker_id_fkey FOREIGN KEY (worker_id) REFERENCES jobs.procrastinate_workers(id) ON DELETE SET NULL;
ALTER TABLE ONLY jobs.procrastinate_periodic_defers
    ADD CONSTRAINT procrastinate_periodic_defers_job_id_fkey FOREIGN KEY (job_id) REFERENCES jobs.procrastinate_jobs(id);
ALTER TABLE ONLY public.access_log
    ADD CONSTRAINT access_log_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.client(id);
ALTER TABLE ONLY public.act
    ADD CONSTRAINT act_application_id_fkey FOREIGN KEY (application_id) REFERENCES public.application(id);
ALTER TABLE ONLY public.act
    ADD CONSTRAINT act_cites_fkey FOREIGN KEY (cites) REFERENCES public.act(id);
ALTER TABLE ONLY public.act
    ADD CONSTRAINT act_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.client(id);
ALTER TABLE ONLY public.act
    ADD CONSTRAINT act_document_sha256_fkey FOREIGN KEY (document_sha256) REFERENCES public.document(sha256);
ALTER TABLE ONLY public.act
    ADD CONSTRAINT act_ended_by_fkey FOREIGN KEY (ended_by) REFERENCES public.act(id);
ALTER TABLE ONLY public.act_footprint
    ADD CONSTRAINT act_footprint_act_id_fkey FOREIGN KEY (act_id) REFERENCES public.act(id) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.act_notification
    ADD CONSTRAINT act_notification_act_id_fkey FOREIGN KEY (act_id) REFERENCES public.act(id);
ALTER TABLE ONLY public.application
    ADD CONSTRAINT application_amends_fkey FOREIGN KEY (amends) REFERENCES public.act(id);
ALTER TABLE ONLY public.application
    ADD CONSTRAINT application_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.client(id);
ALTER TABLE ONLY public.application_contact
    ADD CONSTRAINT application_contact_application_id_fkey FOREIGN KEY (application_id) REFERENCES public.application(id);
ALTER TABLE ONLY public.application_evidence
    ADD CONSTRAINT application_evidence_application_id_fkey FOREIGN KEY (application_id) REFERENCES public.application(id);
ALTER TABLE ONLY public.application
    ADD CONSTRAINT application_rulebook_digest_fkey FOREIGN KEY (rulebook_digest) REFERENCES public.rulebook(digest);
ALTER TABLE ONLY public.archive_copy
    ADD CONSTRAINT archive_copy_act_id_fkey FOREIGN KEY (act_id) REFERENCES public.act(id);
ALTER TABLE ONLY public.registry_access
    ADD CONSTRAINT registry_access_client_id_fkey FOREIGN KEY (client_id) REFERENCES public.client(id);
ALTER TABLE ONLY public.registry_wait
    ADD CONSTRAINT registry_wait_application_id_fkey FOREIGN KEY (application_id) REFERENCES public.application(id);
ALTER TABLE ONLY public.rulebook_step
    ADD CONSTRAINT rulebook_step_digest_fkey FOREIGN KEY (digest) REFERENCES public.rulebook(digest);
