"""Failures of the workflow as a whole: stops on purpose, responses, sub-workflows, node types."""

from __future__ import annotations

from collections.abc import Sequence

from hub.plugin_api import Cause
from plugins.analyzers.rules.looks import workflow as look
from plugins.analyzers.rules.rule import Fix, Pattern, Rule, found_edits, regex, text

_STOPPED = text("The workflow stopped itself on purpose: {message}", "أوقف سير العمل نفسه عمدًا: {message}")

_STOP_FIXES = (
    Fix(
        text("Deal with the case that it reports", "عالج الحالة التي يبلّغ عنها"),
        text(
            "This is a rule of the workflow's author, not a fault: correct the data, or change the rule if it no longer holds.",
            "هذه قاعدة وضعها صاحب سير العمل وليست عطلًا: صحّح البيانات، أو غيّر القاعدة إن لم تعد صالحة.",
        ),
        confidence=0.6,
    ),
)

RULES: Sequence[Rule] = (
    Rule(
        id="stop-and-error",
        cause=Cause.INTENTIONAL_STOP,
        prior=0.98,
        rank=95,
        when=(Pattern(kinds=frozenset(("stopAndError",))),),
        look=look.stop_node,
        summary=_STOPPED,
        fixes=_STOP_FIXES,
    ),
    Rule(
        id="code-throws",
        cause=Cause.INTENTIONAL_STOP,
        prior=0.96,
        rank=95,
        when=(Pattern(kinds=frozenset(("code", "function", "functionItem"))),),
        look=look.thrown,
        summary=_STOPPED,
        fixes=_STOP_FIXES,
    ),
    Rule(
        id="code-throws-own-words",
        cause=Cause.INTENTIONAL_STOP,
        prior=0.85,
        rank=68,
        when=(Pattern(kinds=frozenset(("code", "function", "functionItem"))),),
        look=look.thrown_elsewhere,
        summary=_STOPPED,
        fixes=_STOP_FIXES,
    ),
    Rule(
        id="child-threw",
        cause=Cause.INTENTIONAL_STOP,
        prior=0.75,
        rank=68,
        when=(Pattern(kinds=frozenset(("executeWorkflow", "toolWorkflow"))),),
        look=look.child_threw,
        summary=_STOPPED,
        fixes=_STOP_FIXES,
    ),
    Rule(
        id="child-undefined",
        cause=Cause.UNDEFINED_VALUE,
        prior=0.8,
        rank=67,
        when=(
            Pattern(
                kinds=frozenset(("executeWorkflow", "toolWorkflow")),
                message=regex(r"^Cannot (?:read|set|convert|destructure)\b|is not (?:defined|iterable)\b"),
            ),
        ),
        summary=text(
            "Code in the sub-workflow that ‘{node}’ calls reads something that it is not given: {message}",
            "كود في سير العمل الفرعي الذي تستدعيه العقدة ‘{node}’ يقرأ شيئًا لم يُعطَ له: {message}",
        ),
        fixes=(
            Fix(
                text("Open the sub-workflow's execution", "افتح تنفيذ سير العمل الفرعي"),
                text(
                    "Compare what this node hands over with the fields that the sub-workflow reads.",
                    "قارن ما تسلّمه هذه العقدة بالحقول التي يقرؤها سير العمل الفرعي.",
                ),
                confidence=0.6,
            ),
        ),
    ),
    Rule(
        id="child-stopped",
        cause=Cause.INTENTIONAL_STOP,
        prior=0.85,
        rank=95,
        when=(Pattern(kinds=frozenset(("executeWorkflow", "toolWorkflow"))),),
        look=look.child_stopped,
        summary=_STOPPED,
        fixes=_STOP_FIXES,
    ),
    Rule(
        id="stopped-by-hand",
        cause=Cause.INTENTIONAL_STOP,
        prior=0.6,
        rank=90,
        when=(
            Pattern(classes=frozenset(("ManualExecutionCancelledError",))),
            Pattern(message=regex(r"^The execution was cancell?ed manually")),
        ),
        summary=text("A person or a program cancelled the execution.", "ألغى شخص أو برنامج هذا التنفيذ."),
        fixes=(
            Fix(
                text("Run it again if that was not meant", "شغّله من جديد إن لم يكن ذلك مقصودًا"),
                text("Nothing in the workflow has to change.", "لا حاجة إلى تغيير شيء في سير العمل."),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="no-respond-node",
        cause=Cause.MISSING_RESPONSE_NODE,
        prior=0.98,
        rank=90,
        look=look.no_respond_node,
        when=(Pattern(message=regex(r"No Respond to Webhook node found")),),
        summary=text(
            "The webhook ‘{node}’ leaves the answer to a ‘Respond to Webhook’ node, and there is none.",
            "يترك الـ webhook ‘{node}’ الرد لعقدة ‘Respond to Webhook’ وهي غير موجودة.",
        ),
        fixes=(
            Fix(
                text("Answer when the last node finishes", "أجب عند انتهاء آخر عقدة"),
                text("The caller then gets the last node's data.", "يحصل الطالب حينئذ على بيانات آخر عقدة."),
                make=found_edits,
                confidence=0.85,
            ),
            Fix(
                text("Add a ‘Respond to Webhook’ node", "أضف عقدة ‘Respond to Webhook’"),
                text(
                    "Needed if the answer is to be something other than the last node's data.",
                    "لازمة إذا كان الرد غير بيانات آخر عقدة.",
                ),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="unused-respond-node",
        cause=Cause.MISSING_RESPONSE_NODE,
        prior=0.98,
        rank=90,
        look=look.unused_respond_node,
        when=(Pattern(message=regex(r"Unused Respond to Webhook node")),),
        summary=text(
            "The workflow has a ‘Respond to Webhook’ node, but the webhook ‘{node}’ answers by itself.",
            "في سير العمل عقدة ‘Respond to Webhook’ لكن الـ webhook ‘{node}’ يجيب بنفسه.",
        ),
        fixes=(
            Fix(
                text("Let that node answer", "دع تلك العقدة تجيب"),
                text(
                    "Sets ‘Respond’ of the webhook to ‘Using Respond to Webhook Node’.",
                    "يضبط ‘Respond’ في الـ webhook على ‘Using Respond to Webhook Node’.",
                ),
                make=found_edits,
                confidence=0.88,
            ),
            Fix(
                text("Or remove that node", "أو احذف تلك العقدة"),
                text("Right if the webhook is to answer at once.", "يصح إن كان على الـ webhook أن يجيب فورًا."),
                confidence=0.4,
            ),
        ),
    ),
    Rule(
        id="missing-subworkflow",
        cause=Cause.MISSING_SUBWORKFLOW,
        prior=0.96,
        rank=90,
        when=(
            Pattern(
                kinds=frozenset(("executeWorkflow", "toolWorkflow", "agentTool", "")),
                message=regex(
                    r"Workflow is not active and cannot be executed|Workflow (?:does not exist|not found)|workflow with "
                    r"the ID .* does not exist|The file \".*\" could not be found|Could not find (?:sub-?)?workflow"
                ),
            ),
            Pattern(message=regex(r"^Workflow is not active and cannot be executed")),
        ),
        summary=text(
            "The workflow that ‘{node}’ calls does not exist or is not published.",
            "سير العمل الذي تستدعيه العقدة ‘{node}’ غير موجود أو غير منشور.",
        ),
        fixes=(
            Fix(
                text("Publish the sub-workflow or choose another", "انشر سير العمل الفرعي أو اختر غيره"),
                text(
                    "Open the workflow with that id and publish it; if it was deleted, choose the one that took its place.",
                    "افتح سير العمل ذا المعرّف المذكور وانشره؛ وإن حُذف فاختر البديل عنه.",
                ),
                confidence=0.7,
            ),
        ),
    ),
    Rule(
        id="subworkflow-denied",
        cause=Cause.FORBIDDEN,
        prior=0.65,
        rank=90,
        when=(
            Pattern(classes=frozenset(("SubworkflowPolicyDenialError",))),
            Pattern(message=regex(r"cannot be called by this workflow")),
        ),
        summary=text(
            "The sub-workflow does not allow ‘{node}’ to call it.", "لا يسمح سير العمل الفرعي للعقدة ‘{node}’ باستدعائه."
        ),
        fixes=(
            Fix(
                text("Allow this workflow as a caller", "اسمح لسير العمل هذا بالاستدعاء"),
                text(
                    "In the sub-workflow's settings, add this workflow to ‘This workflow can be called by’.",
                    "في إعدادات سير العمل الفرعي أضف هذا إلى ‘This workflow can be called by’.",
                ),
                confidence=0.75,
            ),
        ),
    ),
    Rule(
        id="unknown-node-type",
        cause=Cause.UNKNOWN_NODE_TYPE,
        prior=0.98,
        rank=92,
        look=look.node_type,
        when=(Pattern(words=regex(r"Unrecognized node type|unknown node type|Unknown node type|node type .* is not known")),),
        summary=text("This n8n does not know the node type {type}.", "لا يعرف هذا الـ n8n نوع العقدة {type}."),
        fixes=(
            Fix(
                text("Install the community node", "ثبّت العقدة المجتمعية"),
                text(
                    "An owner installs its package under Settings, Community nodes; or replace the node by one that is there.",
                    "يثبّت المالك حزمتها من Settings ثم Community nodes؛ أو استبدل بالعقدة أخرى متاحة.",
                ),
                confidence=0.75,
            ),
        ),
    ),
)
