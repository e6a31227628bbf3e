"""Programs of the registry of the Agent Client Protocol, github.com/agentclientprotocol/registry, without our own.

These are the agents of its list of 2026-08-20, and five more, as their `agent.json` names package, command, arguments
and environment; versions are left to those who install them. What has no command of one name everywhere is left out.
"""

from __future__ import annotations

LISTED = "2026-08-20"
# The id: the name for people, where it comes from, and its commands by the protocol, the best first.
REGISTRY: dict[str, tuple[str, ...]] = {
    "amp-acp": ("Amp", "https://github.com/tao12345666333/amp-acp", "amp-acp"),
    "auggie": ("Auggie CLI", "https://www.augmentcode.com", "npx -y @augmentcode/auggie --acp"),
    "cline": ("Cline", "https://cline.bot/cli", "npx -y cline --acp"),
    "codebuddy-code": ("Codebuddy Code", "https://www.codebuddy.cn/cli", "npx -y @tencent-ai/codebuddy-code --acp"),
    "cortex-code": (
        "Cortex Code", "https://docs.snowflake.com/en/user-guide/cortex-code/cortex-code", "cortex acp serve",
    ),
    "corust-agent": ("Corust Agent", "https://github.com/Corust-ai/corust-agent-release", "corust-agent-acp"),
    "cursor": ("Cursor", "https://cursor.com/docs/cli/acp", "cursor-agent acp"),
    "deepagents": ("DeepAgents", "https://github.com/langchain-ai/deepagentsjs", "npx -y deepagents-acp"),
    "devin": ("Devin", "https://docs.devin.ai/cli", "devin acp"),
    "dimcode": ("DimCode", "https://dimcode.dev/docs/acp.html", "npx -y dimcode acp"),
    "dirac": ("Dirac", "https://dirac.run", "npx -y dirac-cli --acp"),
    "factory-droid": (
        "Factory Droid", "https://factory.ai/product/cli", "npx -y droid exec --output-format acp-daemon",
    ),
    "fast-agent": ("fast-agent", "https://fast-agent.ai", "uvx fast-agent-acp -x"),
    "github-copilot": (
        "GitHub Copilot language server", "https://github.com/github/copilot-language-server-release",
        "npx -y @github/copilot-language-server --acp",
    ),
    "github-copilot-cli": ("GitHub Copilot", "https://github.com/github/copilot-cli", "npx -y @github/copilot --acp"),
    "glm-acp-agent": ("GLM Agent", "https://github.com/stefandevo/glm-acp-agent", "npx -y glm-acp-agent"),
    "goose": ("goose", "https://block.github.io/goose", "goose acp"),
    "grok-build": ("Grok Build", "https://x.ai/cli", "npx -y @xai-official/grok agent stdio"),
    "harn": ("Harn", "https://harnlang.com", "harn serve acp"),
    "junie": ("Junie", "https://junie.jetbrains.com", "junie --acp=true"),
    "kilo": ("Kilo", "https://kilo.ai", "kilo acp", "npx -y @kilocode/cli acp"),
    "kimi": ("Kimi CLI", "https://github.com/MoonshotAI/kimi-cli", "kimi acp"),
    "mistral-vibe": ("Mistral Vibe", "https://github.com/mistralai/mistral-vibe", "vibe-acp"),
    "nova": ("Nova", "https://github.com/Compass-Agentic-Platform/nova", "npx -y @compass-ai/nova acp"),
    "pi-acp": ("pi ACP", "https://github.com/svkozak/pi-acp", "npx -y pi-acp"),
    "qoder": ("Qoder CLI", "https://www.npmjs.com/package/@qoder-ai/qodercli", "npx -y @qoder-ai/qodercli --acp"),
    "qwen-code": (
        "Qwen Code", "https://github.com/QwenLM/qwen-code", "npx -y @qwen-code/qwen-code --acp --experimental-skills",
    ),
    "sigit": ("siGit Code", "https://github.com/getsigit/sigit", "sigit", "npx -y @smbcloud/sigit"),
    "stakpak": ("Stakpak", "https://github.com/stakpak/agent", "stakpak acp"),
}  # fmt: skip
# What is set for them unless the user has set it.
ENVIRONMENTS = {
    "auggie": {"AUGMENT_DISABLE_AUTO_UPDATE": "1"},
    "factory-droid": {"DROID_DISABLE_AUTO_UPDATE": "true", "FACTORY_DROID_AUTO_UPDATE_ENABLED": "false"},
    "fast-agent": {"FAST_AGENT_MODEL": "codexplan"},
}
