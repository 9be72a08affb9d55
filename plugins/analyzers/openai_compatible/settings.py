"""The fields of the settings page, and what their values must be."""

from __future__ import annotations

import json

from hub.plugin_api import Choice, LocalizedText, PluginSettings, SettingField, SettingValues, describe_bad_url
from plugins.analyzers.openai_compatible.check import check_connection

#: What the plugin itself puts into a request, or must never be in one.
_RESERVED = frozenset(
    ("model", "messages", "response_format", "stream", "n", "tools", "tool_choice", "functions", "function_call")
)


def _text(en: str, ar: str) -> LocalizedText:
    return LocalizedText(en=en, ar=ar)


def _choice(value: str, en: str, ar: str) -> Choice:
    return Choice(value=value, label=_text(en, ar))


FIELDS = (
    SettingField(
        name="enabled",
        kind="switch",
        label=_text("Use this model", "استخدام هذا النموذج"),
        help=_text(
            "Off: nothing is sent anywhere. On: evidence of failures, without secrets, is sent to the server below.",
            "عند الإيقاف لا يُرسل شيء. عند التشغيل تُرسل أدلة حالات الفشل، بعد حذف الأسرار، إلى الخادم أدناه.",
        ),
        default=False,
    ),
    SettingField(
        name="automatic",
        kind="switch",
        label=_text("Ask by itself", "السؤال تلقائيًا"),
        help=_text(
            "Ask for every analysed failure that the rules leave open. Off: only when a person presses “Ask the model”.",
            "يُسأل عن كل فشل محلَّل تتركه القواعد دون حسم. عند الإيقاف: فقط حين يضغط شخص «اسأل النموذج».",
        ),
        default=True,
    ),
    SettingField(
        name="threshold",
        kind="number",
        label=_text("Confidence of the rules that is enough", "ثقة القواعد الكافية"),
        help=_text(
            "From 0 to 1. Below it, and for unknown causes, the model is asked.",
            "من 0 إلى 1. ما دونها، والأسباب المجهولة، يُسأل عنها النموذج.",
        ),
        default=0.5,
        required=True,
        minimum=0,
        maximum=1,
    ),
    SettingField(
        name="base_url",
        kind="text",
        label=_text("Address of the API", "عنوان واجهة البرمجة"),
        help=_text(
            "With its path: https://api.openai.com/v1, https://NAME.openai.azure.com/openai/v1, "
            "http://localhost:11434/v1 (Ollama). A private address also needs an entry in HUB_ALLOWED_ADDRESSES.",
            "مع مساره: ‎https://api.openai.com/v1 أو ‎https://NAME.openai.azure.com/openai/v1 "
            "أو ‎http://localhost:11434/v1 (Ollama). العنوان الخاص يحتاج أيضًا إلى إدخال في HUB_ALLOWED_ADDRESSES.",
        ),
        default="https://api.openai.com/v1",
        required=True,
    ),
    SettingField(
        name="api_key",
        kind="secret",
        label=_text("API key", "مفتاح الواجهة"),
        help=_text("Empty for servers that ask for none.", "يُترك فارغًا للخوادم التي لا تطلبه."),
        bound_to="base_url",
    ),
    SettingField(
        name="model",
        kind="text",
        label=_text("Model", "النموذج"),
        help=_text("As the server names it; with Azure the deployment.", "كما يسميه الخادم؛ ومع Azure اسم النشر."),
        required=True,
        max_length=200,
    ),
    SettingField(
        name="json_mode",
        kind="choice",
        label=_text("How answers are kept in form", "كيف تُضبط صيغة الإجابات"),
        help=_text("The connection test says which one works.", "يبيّن اختبار الاتصال أيها يعمل."),
        default="schema",
        required=True,
        choices=(
            _choice("schema", "JSON schema", "مخطط JSON"),
            _choice("object", "JSON object", "كائن JSON"),
            _choice("none", "Only by words", "بالكلام فقط"),
        ),
    ),
    SettingField(
        name="context_tokens",
        kind="number",
        label=_text("Context of the model, in tokens", "سياق النموذج بالرموز"),
        help=_text(
            "What the server really takes: Ollama cuts off the beginning of longer questions without a word.",
            "ما يقبله الخادم فعلًا: يحذف Ollama بداية الأسئلة الأطول دون تنبيه.",
        ),
        default=16384,
        required=True,
        minimum=4096,
        maximum=2_000_000,
        whole=True,
    ),
    SettingField(
        name="max_output_tokens",
        kind="number",
        label=_text("Longest answer, in tokens", "أطول إجابة بالرموز"),
        default=3000,
        required=True,
        minimum=200,
        maximum=100_000,
        whole=True,
    ),
    SettingField(
        name="max_tokens_parameter",
        kind="choice",
        label=_text("Parameter for the longest answer", "معامل أطول إجابة"),
        default="max_completion_tokens",
        required=True,
        choices=(
            _choice("max_completion_tokens", "max_completion_tokens (OpenAI, Azure)", "max_completion_tokens (OpenAI و Azure)"),
            _choice("max_tokens", "max_tokens (Ollama, llama.cpp, LM Studio)", "max_tokens (Ollama و llama.cpp و LM Studio)"),
            _choice("none", "Send none", "لا يُرسل"),
        ),
    ),
    SettingField(
        name="temperature",
        kind="number",
        label=_text("Temperature", "درجة العشوائية"),
        help=_text("Empty: not sent, as reasoning models want it.", "فارغ: لا تُرسل، كما تتطلب نماذج الاستدلال."),
        minimum=0,
        maximum=2,
    ),
    SettingField(
        name="extra_body",
        kind="text",
        label=_text("More fields of the request, as JSON", "حقول إضافية للطلب بصيغة JSON"),
        help=_text('For example {"reasoning_effort": "none"}.', 'مثلًا ‎{"reasoning_effort": "none"}.'),
        max_length=2000,
    ),
    SettingField(
        name="timeout",
        kind="number",
        label=_text("Longest wait, in seconds", "أطول انتظار بالثواني"),
        help=_text("For one question in all, retries included.", "للسؤال الواحد كله، مع إعادة المحاولة."),
        default=90,
        required=True,
        minimum=5,
        maximum=600,
    ),
    SettingField(
        name="price_in",
        kind="number",
        label=_text("Price of a million tokens sent", "سعر مليون رمز مُرسل"),
        help=_text("In your currency; empty where nothing is paid.", "بعملتك؛ يُترك فارغًا إن لم يكن مدفوعًا."),
        minimum=0,
    ),
    SettingField(
        name="price_out",
        kind="number",
        label=_text("Price of a million tokens received", "سعر مليون رمز مُستلم"),
        minimum=0,
    ),
    SettingField(
        name="mask_always",
        kind="switch",
        label=_text("Mask personal data also for a local server", "إخفاء البيانات الشخصية عن الخادم المحلي أيضًا"),
        help=_text(
            "E-mail addresses, telephone and card numbers never go to a server outside; this keeps them from a local one too.",
            "عناوين البريد وأرقام الهواتف والبطاقات لا تُرسل أبدًا إلى خادم خارجي؛ وهذا يحجبها عن المحلي أيضًا.",
        ),
        default=False,
    ),
)


def find_problems(values: SettingValues) -> dict[str, LocalizedText]:
    """Messages by field."""
    problems = {}
    bad_url = describe_bad_url(str(values["base_url"] or ""))
    if bad_url is not None:
        problems["base_url"] = bad_url
    extra = _problem_of_extra_body(str(values["extra_body"] or "{}"))
    if extra is not None:
        problems["extra_body"] = extra
    context, longest = values["context_tokens"], values["max_output_tokens"]
    if isinstance(context, int) and isinstance(longest, int) and longest > context - 3500:
        problems["max_output_tokens"] = _text(
            "Leave at least 3,500 tokens of the context for the question.",
            "اترك 3500 رمز على الأقل من السياق للسؤال.",
        )
    return problems


def _problem_of_extra_body(text: str) -> LocalizedText | None:
    try:
        extra = json.loads(text)
    except ValueError:
        extra = None
    if not isinstance(extra, dict):
        return _text("Must be a JSON object.", "يجب أن يكون كائن JSON.")
    taken = ", ".join(sorted(_RESERVED.intersection(extra)))
    return _text(f"Not allowed here: {taken}.", f"غير مسموح هنا: {taken}.") if taken else None


SETTINGS = PluginSettings(
    title=_text("OpenAI-compatible model", "نموذج متوافق مع OpenAI"),
    fields=FIELDS,
    validate=find_problems,
    check=check_connection,
)
