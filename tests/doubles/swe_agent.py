"""A small folder in the form of SWE-agent's repository, with words of our own."""

from pathlib import Path

CONFIG = """\
agent:
  templates:
    system_template: |-
      You mend things.
    instance_template: |-
      Look in {{working_dir}}. {{problem_statement}}
    next_step_template: |-
      SEEN: {{observation}}
    next_step_no_output_template: |-
      Nothing was seen.
  tools:
    execution_timeout: 33
    bundles:
      - path: tools/registry
      - path: tools/edit_anthropic
      - path: tools/submit
    env_variables:
      USE_FILEMAP: 'true'
    enable_bash_tool: true
    parse_function:
      type: function_calling
"""
EDITOR = """\
tools:
  str_replace_editor:
    signature: |
      str_replace_editor <command> <path> [<view_range>]
    docstring: >
      Edits files.
    arguments:
      - name: command
        type: string
        description: "What to do."
        required: true
        enum: ["view", "create", "str_replace", "insert", "undo_edit"]
      - name: path
        type: string
        description: "Which file."
        required: true
      - name: old_str
        type: string
        description: "What to replace."
        required: false
        argument_format: "--old_str {{value}}"
      - name: new_str
        type: string
        description: "What to put there."
        required: false
      - name: view_range
        type: array
        items:
          type: integer
        description: "Which lines."
        required: false
state_command: "_state"
"""
SUBMIT = """\
tools:
  submit:
    signature: "submit"
    docstring: "hands in"
    arguments: []
"""
COMMANDS = """\
raise SystemExit("this file is read, never run")
BASH_COMMAND = Command(
    name="bash",
    # a remark
    signature="<command>",
    docstring="runs it",
    arguments=[
        Argument(name="command", type="string", description="What to run.", required=True)
    ],
)
"""
AGENTS = '''\
class TemplateConfig(BaseModel):
    """Templates."""

    next_step_template: str = "unused"
    next_step_truncated_observation_template: str = (
        "SEEN: {{observation}} and "
        "{{elided_chars}} more than {{max_observation_length}}"
    )
    max_observation_length: int = 1_000
    demonstrations: list[Path] = field(default_factory=list)
    command_cancelled_timeout_template: str = "'{{command}}' took over {{timeout}} s"


class Other(BaseModel):
    max_observation_length: int = 7
'''
PARSING = '''\
class FunctionCallingParser(AbstractParseFunction, BaseModel):
    error_message: str = dedent("""\\
    {%- if error_code == "missing" -%}
    Call something!
    {%- else -%}
    Wrong: {{exception_message}}.
    {% endif %}
    """)
'''
FILES = {
    "config/tool_use.yaml": CONFIG,
    "tools/registry/config.yaml": "tools: {}",
    "tools/edit_anthropic/config.yaml": EDITOR,
    "tools/submit/config.yaml": SUBMIT,
    "sweagent/tools/commands.py": COMMANDS,
    "sweagent/tools/parsing.py": PARSING,
    "sweagent/agent/agents.py": AGENTS,
}


def write_swe_agent(root: Path) -> Path:
    """Write the folder, and return it."""
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root
