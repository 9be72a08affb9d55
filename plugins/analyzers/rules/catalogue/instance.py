"""Failures of the instance or its set-up: credentials, runners, access, memory."""

from __future__ import annotations

from collections.abc import Sequence

from hub.plugin_api import Cause
from plugins.analyzers.rules.looks import instance as look
from plugins.analyzers.rules.rule import Fix, Pattern, Rule, found_edits, regex, text

RULES: Sequence[Rule] = (
    Rule(
        id="telegram-markup",
        cause=Cause.BAD_REQUEST,
        prior=0.95,
        rank=66,
        look=look.telegram_markup,
        when=(Pattern(words=regex(r"can't parse entities")),),
        summary=text(
            "Telegram takes a sign in the text of ‘{node}’ for Markdown that never ends.",
            "يعدّ Telegram علامةً في نص العقدة ‘{node}’ بدايةَ Markdown لا تنتهي.",
        ),
        fixes=(
            Fix(
                text("Read the text as HTML", "اقرأ النص بصيغة HTML"),
                text(
                    "In HTML the signs _ * [ ` are plain. The text of this execution holds no < or &.",
                    "الرموز _ * [ ` عادية في HTML. ولا يحوي نص هذا التنفيذ < أو &.",
                ),
                make=found_edits,
                confidence=0.8,
            ),
            Fix(
                text("Escape the signs of Markdown", "احمِ رموز Markdown"),
                text(
                    "Put a backslash before _ * [ ` in values that come from data.",
                    "ضع شرطة مائلة عكسية قبل _ * [ ` في القيم الآتية من البيانات.",
                ),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="model-dialect",
        cause=Cause.BAD_RESPONSE_FORMAT,
        prior=0.6,
        rank=60,
        when=(
            Pattern(
                words=regex(r"Original error: TypeError"),
                message=regex(r"^Cannot read propert(?:y|ies) of undefined \(reading '(?:content|message|choices|text|role)'\)"),
            ),
        ),
        summary=text(
            "What answers ‘{node}’ does not speak as a language model's service does.",
            "ما يردّ على العقدة ‘{node}’ لا يتحدث كما تتحدث خدمة النماذج اللغوية.",
        ),
        fixes=(
            Fix(
                text("Check the model's base address", "تحقّق من العنوان الأساسي للنموذج"),
                text(
                    "The address in the model's credential must lead to a compatible service, usually ending in /v1.",
                    "يجب أن يقود العنوان في بيانات اعتماد النموذج إلى خدمة متوافقة، وينتهي غالبًا بـ ‎/v1.",
                ),
                confidence=0.6,
            ),
        ),
    ),
    Rule(
        id="no-credentials",
        cause=Cause.BAD_CREDENTIALS,
        prior=0.9,
        rank=90,
        when=(
            Pattern(
                message=regex(
                    r"^Credentials not found|Credential with ID .* does not exist|does not have any credentials (?:set|of "
                    r"type|defined)|Credentials could not be decrypted"
                    r"|Unable to sign without access token|authorization grant .* (?:invalid|expired)|invalid_grant|does "
                    r"not have access to the credential|needs to be reconnected|OAuth credentials not connected"
                    r"|set in credentials\."
                    r"|^Incorrect API key|^Invalid API key|Failed to acquire OAuth2 access token"
                    r"|credential is restricted from|Node does not have any credentials"
                )
            ),
            Pattern(words=regex(r"Credential with ID \"[^\"]*\" does not exist")),
        ),
        summary=text("‘{node}’ has no working credential.", "ليس للعقدة ‘{node}’ بيانات اعتماد صالحة."),
        fixes=(
            Fix(
                text("Select or reconnect the credential", "اختر بيانات الاعتماد أو أعد ربطها"),
                text(
                    "Open the node, choose an existing credential, or connect the account again.",
                    "افتح العقدة واختر بيانات اعتماد موجودة أو أعد ربط الحساب.",
                ),
                confidence=0.85,
            ),
        ),
    ),
    Rule(
        id="sub-node-missing",
        cause=Cause.UNKNOWN,
        prior=0.5,
        rank=85,
        when=(Pattern(message=regex(r"sub-node must be connected|Connect an? .*model")),),
        summary=text("‘{node}’ lacks a connected sub-node: {message}", "تنقص العقدة ‘{node}’ عقدةٌ فرعية موصولة: {message}"),
        fixes=(
            Fix(
                text("Connect the sub-node", "صِل العقدة الفرعية"),
                text(
                    "Add the model with its credential below the node and enable it.",
                    "أضف النموذج مع بيانات اعتماده أسفل العقدة وفعّله.",
                ),
                confidence=0.8,
            ),
        ),
    ),
    Rule(
        id="module-not-allowed",
        cause=Cause.MODULE_NOT_ALLOWED,
        prior=0.97,
        rank=92,
        look=look.module,
        when=(
            Pattern(
                message=regex(
                    r"Module '.*' is disallowed|Cannot find module '|^(?:require|fetch|axios|fs|moment|_) is not defined"
                )
            ),
        ),
        summary=text(
            "The code of ‘{node}’ requires the module ‘{module}’, which this instance does not allow.",
            "يطلب كود العقدة ‘{node}’ الوحدة ‘{module}’ التي لا يسمح بها هذا الخادم.",
        ),
        fixes=(
            Fix(
                text("Do without ‘{module}’", "استغنِ عن ‘{module}’"),
                text(
                    "All that the code takes from it can be said in plain JavaScript, or with what n8n's code has anyway.",
                    "كل ما يأخذه الكود منها يمكن كتابته بلغة JavaScript وحدها أو بما يتوفر في كود n8n أصلًا.",
                ),
                make=found_edits,
                confidence=0.8,
            ),
            Fix(
                text("Allow the module, or do without it", "اسمح بالوحدة أو استغنِ عنها"),
                text(
                    "An administrator adds it to NODE_FUNCTION_ALLOW_BUILTIN or NODE_FUNCTION_ALLOW_EXTERNAL of the "
                    "runner. For hashes there is the Crypto node, for calls the HTTP Request node.",
                    "يضيفها المسؤول إلى NODE_FUNCTION_ALLOW_BUILTIN أو NODE_FUNCTION_ALLOW_EXTERNAL في المشغّل. للتجزئة "
                    "توجد عقدة Crypto وللطلبات عقدة HTTP Request.",
                ),
                confidence=0.7,
            ),
        ),
    ),
    Rule(
        id="runner-unavailable",
        cause=Cause.RUNNER_UNAVAILABLE,
        prior=0.97,
        rank=92,
        when=(
            Pattern(
                words=regex(
                    r"Python runner unavailable|runner (?:is )?(?:unavailable|not available)|No (?:task )?runner|Task "
                    r"request timed out|Virtual environment is missing"
                )
            ),
        ),
        summary=text("This n8n has no runner for the language of ‘{node}’.", "ليس لهذا الـ n8n مشغّل للغة العقدة ‘{node}’."),
        fixes=(
            Fix(
                text("Set up the runner, or use JavaScript", "جهّز المشغّل أو استخدم JavaScript"),
                text(
                    "An administrator deploys task runners in external mode; or write the code in JavaScript.",
                    "ينشر المسؤول مشغّلات المهام بالنمط الخارجي؛ أو اكتب الكود بلغة JavaScript.",
                ),
                confidence=0.7,
            ),
        ),
    ),
    Rule(
        id="code-too-slow",
        cause=Cause.TIMEOUT,
        prior=0.9,
        rank=92,
        when=(Pattern(message=regex(r"Task execution timed out after")),),
        summary=text("The code of ‘{node}’ did not end in time.", "لم ينتهِ كود العقدة ‘{node}’ في الوقت المحدد."),
        fixes=(
            Fix(
                text("End the loop, or work in batches", "أنهِ الحلقة أو اعمل على دفعات"),
                text(
                    "Make sure that every loop ends; an administrator can raise N8N_RUNNERS_TASK_TIMEOUT.",
                    "تأكد أن كل حلقة تنتهي؛ ويمكن للمسؤول رفع N8N_RUNNERS_TASK_TIMEOUT.",
                ),
                confidence=0.6,
            ),
        ),
    ),
    Rule(
        id="env-access",
        cause=Cause.ENV_ACCESS_DENIED,
        prior=0.98,
        rank=92,
        when=(Pattern(words=regex(r"access to env vars denied|N8N_BLOCK_ENV_ACCESS_IN_NODE|^process is not defined")),),
        summary=text(
            "‘{node}’ reads the environment, which this instance forbids.",
            "تقرأ العقدة ‘{node}’ متغيرات البيئة، وهذا الخادم يمنع ذلك.",
        ),
        fixes=(
            Fix(
                text("Keep the value elsewhere", "احفظ القيمة في مكان آخر"),
                text(
                    "Put secrets into a credential and settings into variables or a Set node. An administrator can allow "
                    "it with N8N_BLOCK_ENV_ACCESS_IN_NODE=false.",
                    "ضع الأسرار في بيانات اعتماد والإعدادات في متغيرات أو عقدة Set. ويمكن للمسؤول السماح به عبر "
                    "N8N_BLOCK_ENV_ACCESS_IN_NODE=false.",
                ),
                confidence=0.7,
            ),
        ),
    ),
    Rule(
        id="file-access",
        cause=Cause.FILE_ACCESS_DENIED,
        prior=0.96,
        rank=92,
        when=(
            Pattern(
                words=regex(
                    r"Access to the (?:workflow )?file (?:path )?is not allowed|not allowed to (?:read|write"
                    r"|access).*file|is not (?:accessible|writable)|EACCES|EPERM"
                ),
                kinds=frozenset(
                    (
                        "readWriteFile",
                        "readBinaryFile",
                        "readBinaryFiles",
                        "writeBinaryFile",
                        "executeWorkflow",
                        "executeCommand",
                        "localFileTrigger",
                        "readPDF",
                    )
                ),
            ),
            Pattern(message=regex(r"^Access to the (?:workflow )?file")),
        ),
        summary=text(
            "This instance does not let ‘{node}’ use that file.", "لا يسمح هذا الخادم للعقدة ‘{node}’ باستخدام ذلك الملف."
        ),
        fixes=(
            Fix(
                text("Use an allowed folder", "استخدم مجلدًا مسموحًا"),
                text(
                    "Files may lie only in the folders of N8N_RESTRICT_FILE_ACCESS_TO, and n8n's user must be able to read them.",
                    "يجب أن تكون الملفات في مجلدات N8N_RESTRICT_FILE_ACCESS_TO وأن يستطيع مستخدم n8n قراءتها.",
                ),
                confidence=0.7,
            ),
        ),
    ),
    Rule(
        id="crashed",
        cause=Cause.UNKNOWN,
        prior=0.4,
        rank=90,
        when=(Pattern(classes=frozenset(("WorkflowCrashedError", "NodeCrashedError"))),),
        summary=text(
            "n8n's process ended while ‘{node}’ ran: memory ran out, or n8n was restarted.",
            "توقفت عملية n8n أثناء عمل العقدة ‘{node}’: نفدت الذاكرة أو أُعيد تشغيل n8n.",
        ),
        fixes=(
            Fix(
                text("Look whether n8n was restarted", "انظر هل أُعيد تشغيل n8n"),
                text(
                    "If not, process fewer items at once (Loop Over Items, sub-workflows) or give n8n more memory.",
                    "إن لم يحدث ذلك فعالج عناصر أقل في المرة (Loop Over Items أو سير عمل فرعي) أو امنح n8n ذاكرة أكثر.",
                ),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="workflow-timeout",
        cause=Cause.TIMEOUT,
        prior=0.7,
        rank=88,
        when=(Pattern(),),
        look=look.workflow_timeout,
        summary=text(
            "n8n stopped the execution without an error, as it does when the workflow's time is over.",
            "أوقف n8n التنفيذ دون خطأ، كما يفعل عند انتهاء وقت سير العمل.",
        ),
        fixes=(
            Fix(
                text("Give the workflow a minute", "امنح سير العمل دقيقة"),
                text(
                    "Its limit is of a few seconds, and the service needs longer than that.",
                    "الحد بضع ثوانٍ والخدمة تحتاج إلى أكثر من ذلك.",
                ),
                make=found_edits,
                confidence=0.7,
            ),
            Fix(
                text("Raise the workflow's timeout, or split it", "ارفع مهلة سير العمل أو قسّمه"),
                text(
                    "The limit stands in the workflow's settings under ‘Timeout Workflow’.",
                    "الحد موجود في إعدادات سير العمل تحت ‘Timeout Workflow’.",
                ),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="withheld",
        cause=Cause.UNKNOWN,
        prior=0.2,
        rank=88,
        when=(Pattern(),),
        look=look.withheld,
        summary=text(
            "n8n withholds the error of this execution (redaction policy).", "يحجب n8n خطأ هذا التنفيذ (سياسة الإخفاء)."
        ),
        fixes=(
            Fix(
                text("Reveal the execution in n8n", "اكشف التنفيذ في n8n"),
                text(
                    "Someone with the right to reveal execution data can open it there.",
                    "يستطيع من له حق كشف بيانات التنفيذ فتحه هناك.",
                ),
                confidence=0.5,
            ),
        ),
    ),
    Rule(
        id="context-too-long",
        cause=Cause.BAD_REQUEST,
        prior=0.75,
        rank=55,
        when=(Pattern(words=regex(r"maximum context length|context_length_exceeded|too many tokens")),),
        summary=text(
            "The prompt of ‘{node}’ is longer than the model takes.", "نص الطلب في العقدة ‘{node}’ أطول مما يقبله النموذج."
        ),
        fixes=(
            Fix(
                text("Shorten or split the prompt", "اختصر النص أو قسّمه"),
                text(
                    "Send fewer messages or documents, or choose a model with a longer context.",
                    "أرسل رسائل أو مستندات أقل، أو اختر نموذجًا بسياق أطول.",
                ),
                confidence=0.6,
            ),
        ),
    ),
    Rule(
        id="graphql",
        cause=Cause.BAD_REQUEST,
        prior=0.8,
        rank=55,
        when=(Pattern(message=regex(r"Field '.*' doesn't exist on type|Cannot query field|Unknown argument .* on field")),),
        look=look.graphql,
        summary=text(
            "The service's GraphQL schema does not have what ‘{node}’ asks for.",
            "لا يحوي مخطط GraphQL لدى الخدمة ما تطلبه العقدة ‘{node}’.",
        ),
        fixes=(
            Fix(
                text("Ask for ‘{meant}’", "اطلب ‘{meant}’"),
                text("The service's answer proposes this name.", "يقترح رد الخدمة هذا الاسم."),
                make=found_edits,
                confidence=0.8,
            ),
            Fix(
                text("Correct the query", "صحّح الاستعلام"),
                text(
                    "Compare the field with the schema of the API version that is called.",
                    "قارن الحقل بمخطط إصدار الواجهة المستدعاة.",
                ),
                confidence=0.6,
            ),
        ),
    ),
)
