"""Every setting that an operator may make: one table."""

from dataclasses import dataclass

from mission_control import config_identity as identity
from mission_control import config_mail as mail
from mission_control import config_values as values


@dataclass(frozen=True)
class Setting:
    """One row of the table: what an operator may set, and what it means."""

    name: str
    parse: values.Parser
    default: str
    doc: str
    secret: bool = False
    keeps_blank: bool = False
    former_name: str = ""

    @property
    def type(self) -> str:
        """Return the word for the values this setting takes."""
        return values.TYPE_NAMES[self.parse]


SETTINGS: tuple[Setting, ...] = (
    Setting("HOST", values.text, "127.0.0.1", "Address to listen on; 0.0.0.0 for all."),
    Setting("PORT", values.port, "8000", "TCP port to listen on; 0 takes a free one."),
    Setting("WORKERS", values.positive, "1", "Server processes; more than one needs PostgreSQL."),
    Setting("DATA_DIR", values.path, "data", "Folder for the SQLite file and the secret key."),
    Setting(
        "DATABASE_URL",
        values.database_url,
        "",
        "Database; empty means <DATA_DIR>/mission-control.sqlite3. Also sqlite:///path or postgres://...",
        secret=True,
    ),
    Setting("DB_AUTO_MIGRATE", values.boolean, "true", "Apply pending migrations when the server starts."),
    Setting("DB_POOL_SIZE", values.pool_size, "10", "PostgreSQL connections per process, 2 or more."),
    Setting(
        "BASE_URL",
        values.base_url,
        "",
        "Public http(s) address, for links in messages and webhooks; MCP and pages answer to it and local hosts only.",
    ),
    Setting(
        "SMTP_URL",
        mail.smtp_url,
        "",
        "Mail server that sends invitations and password links, as smtp://user:password@host:587 or smtps://...;"
        " empty sends none.",
        secret=True,
    ),
    Setting(
        "MAIL_FROM", mail.sender, "", "Address that mail comes from, such as Mission Control <mission@example.org>."
    ),
    Setting(
        "AUTH_MODE",
        identity.auth_mode,
        "local",
        "How people sign in: local (passwords), clerk, or oidc (any OpenID Connect provider).",
    ),
    Setting(
        "LOCAL_AUTH_TOKEN",
        values.local_auth_token,
        "",
        "Optional bearer token of the instance owner in local mode, 50 characters or more; a setup code too.",
        secret=True,
    ),
    Setting("OIDC_ISSUER", identity.address, "", "Issuer of the provider, exactly as its tokens name it."),
    Setting(
        "OIDC_CLIENT_ID",
        identity.free_text,
        "",
        "Client for signing in on pages; its redirect is <BASE_URL>/sign-in/callback.",
    ),
    Setting(
        "OIDC_CLIENT_SECRET", identity.free_text, "", "Secret of that client; empty for a public one.", secret=True
    ),
    Setting(
        "OIDC_AUDIENCE", identity.words, "", "Audiences of bearer tokens; without, they must be of OIDC_CLIENT_ID."
    ),
    Setting("OIDC_SCOPES", identity.words, "openid email profile", "What signing in on pages asks for."),
    Setting(
        "OIDC_ALLOWED_DOMAINS",
        identity.words,
        "",
        "Domains of verified addresses that may sign in with the provider; empty lets in all.",
    ),
    Setting(
        "OIDC_ALLOWED_GROUPS",
        identity.words,
        "",
        "Groups, as `groups` of its tokens names them, of which one is needed; empty needs none.",
    ),
    Setting("OIDC_NAME", identity.free_text, "", "What people call the provider; empty takes the issuer's host."),
    Setting("OIDC_LEEWAY", identity.seconds, "10", "Seconds that the provider's clock may differ."),
    Setting("CLERK_SECRET_KEY", identity.free_text, "", "Clerk's secret key, needed in clerk mode.", secret=True),
    Setting(
        "CLERK_PUBLISHABLE_KEY",
        identity.publishable_key,
        "",
        "Clerk's publishable key; it names the issuer, which is then checked.",
        former_name="NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY",
    ),
    Setting("CLERK_API_URL", identity.address, "https://api.clerk.com", "Clerk's backend."),
    Setting("CLERK_LEEWAY", identity.seconds, "10.0", "Seconds that Clerk's clock may differ."),
    Setting("CLERK_VERIFY_IAT", values.boolean, "true", "Refuse Clerk's tokens that were issued in the future."),
    Setting(
        "CLERK_AUTHORIZED_PARTIES",
        identity.words,
        "",
        "Origins whose session tokens count; empty takes all of the issuer's.",
    ),
    Setting(
        "SECRET_KEY",
        values.secret_key,
        "",
        "Signs cookies and encrypts secrets; made and kept in <DATA_DIR>/secret_key when unset.",
        secret=True,
    ),
    Setting("SECURE_COOKIES", values.auto_boolean, "auto", "Send cookies over TLS only; auto: as BASE_URL says."),
    Setting("CORS_ORIGINS", values.origins, "", "Origins of other web clients, comma separated."),
    Setting(
        "SECURITY_HEADER_X_CONTENT_TYPE_OPTIONS",
        values.header,
        "nosniff",
        "X-Content-Type-Options of every answer; blank leaves it out.",
        keeps_blank=True,
    ),
    Setting(
        "SECURITY_HEADER_X_FRAME_OPTIONS",
        values.header,
        "DENY",
        "X-Frame-Options of every answer; blank leaves it out.",
        keeps_blank=True,
    ),
    Setting(
        "SECURITY_HEADER_REFERRER_POLICY",
        values.header,
        "strict-origin-when-cross-origin",
        "Referrer-Policy of every answer; blank leaves it out.",
        keeps_blank=True,
    ),
    Setting(
        "SECURITY_HEADER_PERMISSIONS_POLICY",
        values.header,
        "",
        "Permissions-Policy of every answer; blank leaves it out.",
        keeps_blank=True,
    ),
    Setting(
        "AGENT_REQUESTS_PER_MINUTE",
        values.not_negative,
        "600",
        "Requests a minute of an agent, by all tokens without a number of their own, per server process; 0: no limit.",
    ),
    Setting(
        "AGENT_CHECKIN_SECONDS",
        values.positive,
        "300",
        "Seconds in which an agent on a gateway has to call after it was woken; it is woken three times.",
    ),
    Setting(
        "PERSON_REQUESTS_PER_MINUTE",
        values.not_negative,
        "600",
        "The same of a person's API tokens; browsers have no limit.",
    ),
    Setting("MAX_BODY_BYTES", values.positive, "1048576", "Largest request body; more is answered 413."),
    Setting(
        "WEBHOOK_MAX_PAYLOAD_BYTES",
        values.positive,
        "1048576",
        "Largest payload that a board's webhook takes; more is answered 413.",
    ),
    Setting("MAX_FILE_BYTES", values.positive, "10485760", "Largest request that attaches a file to a task."),
    Setting("IMPORT_MAX_BYTES", values.positive, "20971520", "Largest file that a board can be imported from."),
    Setting(
        "MAX_BODIES_BYTES",
        values.positive,
        "134217728",
        "Request bodies held at the same time, of one address half of it; those above 64 KiB leave a quarter free."
        " More is answered 503.",
    ),
    Setting(
        "GATEWAY_MIN_VERSION",
        values.gateway_version,
        "2026.02.9",
        "Oldest OpenClaw gateway that is accepted.",
        keeps_blank=True,
    ),
    Setting(
        "OUTBOUND_ALLOW_PRIVATE",
        values.boolean,
        "false",
        "Let requests to the outside reach private and loopback addresses.",
    ),
    Setting(
        "GATEWAYS_ALLOW_PRIVATE",
        values.auto_boolean,
        "auto",
        "Let gateways be at private and loopback addresses; auto: while there is one organization.",
    ),
    Setting(
        "SOULS_DIRECTORY_URL",
        values.base_url,
        "https://souls.directory",
        "Where souls are searched; blank: nowhere.",
        keeps_blank=True,
    ),
    Setting(
        "SKILLS_GIT_BASE_URL",
        values.git_base_url,
        "https://github.com",
        "Where the repositories of skill packs are cloned from: GitHub, or a mirror of it.",
    ),
    Setting(
        "TRUSTED_PROXIES",
        values.networks,
        "",
        "Addresses or networks of reverse proxies whose X-Forwarded-* headers count, comma separated.",
    ),
    Setting(
        "MAX_CONNECTIONS_PER_ADDRESS",
        values.positive,
        "1000",
        "Open connections of one address (/64 of IPv6) per server process, at most half of its files."
        " Of clients behind TRUSTED_PROXIES: requests at the same time.",
    ),
    Setting("HTTP2", values.boolean, "false", "Speak HTTP/2 without TLS (h2c) too, for a proxy that wants it."),
    Setting("ENVIRONMENT", values.text, "dev", "Name of this installation, shown in logs."),
    Setting("LOG_LEVEL", values.log_level, "INFO", "A level name, TRACE among them, or a number."),
    Setting("LOG_FORMAT", values.log_format, "text", "text or json (one object a line)."),
    Setting("LOG_USE_UTC", values.boolean, "false", "Print UTC times in text logs."),
    Setting("REQUEST_LOG_SLOW_MS", values.not_negative, "1000", "Warn about slower requests; 0 turns it off."),
    Setting("REQUEST_LOG_INCLUDE_HEALTH", values.boolean, "false", "Log health checks as well."),
)
