using Xunit;

namespace Polymath.Tests.Chat;

/// <summary>Replies as each template writes a past turn of the assistant, which is what the model writes, and what they mean.</summary>
internal static class GoldenReplies
{
    private const string Paris = """{"city": "Paris", "days": 3}""", Code = """{"code": "say(\"</tool_call>\\n\")\nif 1 < 2: é 日本 😀"}""";

    /// <summary>Dialect, reply, events.</summary>
    public static TheoryData<string, string, string> All => new()
    {
        { "Hermes", "Hello", "content Hello\nend" },
        { "Hermes", $"<tool_call>\n{{\"name\": \"get_weather\", \"arguments\": {Paris}}}\n</tool_call>", Calls(Paris) },
        { "Hermes", $"I look.\n<tool_call>\n{{\"name\": \"get_weather\", \"arguments\": {Paris}}}\n</tool_call>\n<tool_call>\n{{\"name\": \"run\", \"arguments\": {Code}}}\n</tool_call><|im_end|>", "content I look.\n" + Calls(Paris, Code) },
        { "Hermes", $"<think>\nLet me see.\n\nYes.\n</think>\n\n<tool_call>\n{{\"name\": \"run\", \"arguments\": {Code}}}\n</tool_call>", "reasoning Let me see.⏎⏎Yes.\ncall 0 call_0 run " + Code + "\ndone 0\nend" },
        { "Hermes", "<think>\n\n</think>\n\nFour.", "content Four.\nend" },
        { "Qwen Coder", "I look.\n\n<tool_call>\n<function=get_weather>\n<parameter=city>\nParis\n</parameter>\n<parameter=days>\n3\n</parameter>\n</function>\n</tool_call><|im_end|>", "content I look.\n" + Calls(Paris) },
        { "Qwen Coder", "<tool_call>\n<function=run>\n<parameter=code>\nif a:\n    say(\"</function>\\n\")\n\n</parameter>\n</function>\n</tool_call>\n<tool_call>\n<function=now>\n</function>\n</tool_call>", "call 0 call_0 run {\"code\": \"if a:\\n    say(\\\"</function>\\\\n\\\")\\n\"}\ndone 0\ncall 1 call_1 now {}\ndone 1\nend" },
        { "Qwen Coder", "<function=get_weather>\n<parameter=city>\n12\n</parameter>\n<parameter=exact>\nTrue\n</parameter>\n<parameter=tags>\n[1, \"a\"]\n</parameter>\n<parameter=days>\na few\n</parameter>\n</function>\n</tool_call>", "call 0 call_0 get_weather {\"city\": \"12\", \"exact\": true, \"tags\": [1, \"a\"], \"days\": \"a few\"}\ndone 0\nend" },
        { "Llama 3", $"{{\"name\": \"get_weather\", \"parameters\": {Paris}}}<|eot_id|>", Calls(Paris) },
        { "Llama 3", $"<|python_tag|>{{\"name\": \"run\", \"parameters\": {Code}}}<|eom_id|>", "call 0 call_0 run " + Code + "\ndone 0\nend" },
        { "Llama 3", $"{{\"name\": \"get_weather\", \"parameters\": {Paris}}}; {{\"name\": \"run\", \"parameters\": {Code}}}", Calls(Paris, Code) },
        { "Llama 3", "{\"name\": \"Ann\", \"parameters\": {}} is JSON", "content {\"name\": \"Ann\", \"parameters\": {}} is JSON\nend" },
        { "Llama 3", "{\"a\": 1}\n", "content {\"a\": 1}⏎\nend" },
        { "Mistral", $"[TOOL_CALLS][{{\"name\": \"get_weather\", \"arguments\": {Paris}, \"id\": \"abcdefghi\"}}, {{\"name\": \"run\", \"arguments\": {Code}, \"id\": \"abcdefghj\"}}]</s>", Calls(Paris, Code, "000000000", "000000001") },
        { "Mistral, named", $"Well.[TOOL_CALLS]get_weather[ARGS]{Paris}[TOOL_CALLS]run[ARGS]{Code}</s>", "content Well.\n" + Calls(Paris, Code, "000000000", "000000001") },
        { "Mistral, named", $"[THINK]Hm.[/THINK][TOOL_CALLS]get_weather[CALL_ID]a1b2c3d4e[ARGS]{Paris}", "reasoning Hm.\n" + Calls(Paris, "a1b2c3d4e") },
        { "harmony", $"<|channel|>analysis<|message|>User asks.<|end|><|start|>assistant<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{Paris}<|call|>", "reasoning User asks.\n" + Calls(Paris) },
        { "harmony", $" to=functions.run<|channel|>commentary json<|message|>{Code}", "call 0 call_0 run " + Code + "\ndone 0\nend" },
        { "harmony", "<|channel|>commentary<|message|>I look.<|end|><|start|>assistant<|channel|>final<|message|>Four.\n<|return|>", "content I look.Four.⏎\nend" },
        { "DeepSeek R1", $"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n```json\n{Paris}\n```<｜tool▁call▁end｜>\n<｜tool▁call▁begin｜>function<｜tool▁sep｜>run\n```json\n{Code}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜><｜end▁of▁sentence｜>", Calls(Paris, Code) },
        { "DeepSeek 3.1", $"I look.<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{Paris}<｜tool▁call▁end｜><｜tool▁call▁begin｜>run<｜tool▁sep｜>{Code}<｜tool▁call▁end｜><｜tool▁calls▁end｜><｜end▁of▁sentence｜>", "content I look.\n" + Calls(Paris, Code) },
        { "DeepSeek 3.1", $"<think>Hm.<｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{Paris}<｜tool▁call▁end｜><｜tool▁calls▁end｜>", "reasoning Hm.\n" + Calls(Paris) },
        { "DeepSeek DSML", "Well.\n\n<｜DSML｜function_calls>\n<｜DSML｜invoke name=\"get_weather\">\n<｜DSML｜parameter name=\"city\" string=\"true\">Paris</｜DSML｜parameter>\n<｜DSML｜parameter name=\"days\" string=\"false\">3</｜DSML｜parameter>\n</｜DSML｜invoke>\n<｜DSML｜invoke name=\"now\">\n</｜DSML｜invoke>\n</｜DSML｜function_calls><｜end▁of▁sentence｜>", $"content Well.\ncall 0 call_0 get_weather {Paris}\ndone 0\ncall 1 call_1 now {{}}\ndone 1\nend" },
        { "DeepSeek DSML 4", "<think>A.</think>\n\n<｜DSML｜tool_calls>\n<｜DSML｜invoke name=\"run\">\n<｜DSML｜parameter name=\"code\" string=\"true\">a<b\n</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜tool_calls>", "reasoning A.\ncall 0 call_0 run {\"code\": \"a<b\\n\"}\ndone 0\nend" },
        { "Gemma 4", "<|channel>thought\nHm.\n<channel|><|tool_call>call:get_weather{city:<|\"|>Paris<|\"|>,days:3}<tool_call|><|tool_response>", "reasoning Hm.\n" + Calls(Paris) },
        { "Gemma 4", "<|tool_call>call:get_weather{city:<|\"|>a \"b\" <| } é😀<|\"|>,exact:true,tags:[1,<|\"|>x<|\"|>,{k:None},[]]}<tool_call|><|tool_call>call:now{}<tool_call|>", "call 0 call_0 get_weather {\"city\": \"a \\\"b\\\" <| } é😀\", \"exact\": true, \"tags\": [1, \"x\", {\"k\": null}, []]}\ndone 0\ncall 1 call_1 now {}\ndone 1\nend" },
        { "Gemma 4", "Four.<turn|>", "content Four.\nend" },
        { "GLM", "<think>Hm.</think>I look.<tool_call>get_weather<arg_key>city</arg_key><arg_value>Paris</arg_value><arg_key>days</arg_key><arg_value>3</arg_value></tool_call><tool_call>now</tool_call><|observation|>", $"reasoning Hm.\ncontent I look.\ncall 0 call_0 get_weather {Paris}\ndone 0\ncall 1 call_1 now {{}}\ndone 1\nend" },
        { "GLM", "\n<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Paris</arg_value>\n<arg_key>days</arg_key>\n<arg_value>3</arg_value>\n</tool_call>", Calls(Paris) },
        { "Kimi K2", $"Well.<|tool_calls_section_begin|><|tool_call_begin|>functions.get_weather:4<|tool_call_argument_begin|>{Paris}<|tool_call_end|><|tool_call_begin|>functions.run:5<|tool_call_argument_begin|>{Code}<|tool_call_end|><|tool_calls_section_end|><|im_end|>", "content Well.\n" + Calls(Paris, Code, "functions.get_weather:4", "functions.run:5") },
        { "Cohere", $"<|START_THINKING|>I look.<|END_THINKING|><|START_ACTION|>[\n    {{\"tool_call_id\": \"0\", \"tool_name\": \"get_weather\", \"parameters\": {Paris}}},\n    {{\"tool_call_id\": \"1\", \"tool_name\": \"run\", \"parameters\": {Code}}}\n]<|END_ACTION|><|END_OF_TURN_TOKEN|>", "reasoning I look.\n" + Calls(Paris, Code, "0", "1") },
        { "Cohere", "<|START_THINKING|><|END_THINKING|><|START_RESPONSE|>Four.<|END_RESPONSE|>", "content Four.\nend" },
        { "Cohere, action", $"I look.\nAction:\n```json\n[\n    {{\n        \"tool_name\": \"get_weather\",\n        \"parameters\": {Paris}\n    }}\n]```\n", "content I look.\n" + Calls(Paris) },
        { "Cohere, action", "Action: none.", "content Action: none.\nend" },
        { "Functionary", $"<function=get_weather>{Paris}</function><function=run>{Code}</function><|eom_id|>", Calls(Paris, Code) },
        { "Apriel", $"Well.\n<tool_calls>[{{\"name\": \"get_weather\", \"arguments\": {Paris}, \"id\": \"7\"}}, {{\"name\": \"run\", \"arguments\": {Code}}}]</tool_calls>\n<|end|>\n", "content Well.\n" + Calls(Paris, Code) },
        { "Apertus", $"<|inner_prefix|>Hm.<|inner_suffix|><|tools_prefix|>[{{\"get_weather\": {Paris}}}, {{\"run\": {Code}}}]<|tools_suffix|><|assistant_end|>", "reasoning Hm.\n" + Calls(Paris, Code) },
        { "generic", $"```json\n{{\"name\": \"get_weather\", \"arguments\": {Paris}}}\n```", Calls(Paris) },
        { "generic", $"{{\"name\": \"get_weather\", \"parameters\": {Paris}}}\n{{\"name\": \"run\", \"arguments\": {Code}}}", Calls(Paris, Code) },
        { "generic", "```json\n{\"days\": [3]}\n```\nis it.", "content ```json⏎{\"days\": [3]}⏎```⏎is it.\nend" },
    };

    private static string Calls(string first) => $"call 0 call_0 get_weather {first}\ndone 0\nend";

    private static string Calls(string first, string secondOrId) => secondOrId[0] == '{' ? Calls(first, secondOrId, "call_0", "call_1") : $"call 0 {secondOrId} get_weather {first}\ndone 0\nend";

    private static string Calls(string first, string second, string firstId, string secondId) =>
        $"call 0 {firstId} get_weather {first}\ndone 0\ncall 1 {secondId} run {second}\ndone 1\nend";
}
