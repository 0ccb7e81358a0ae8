using Polymath.Chat;
using Xunit;

namespace Polymath.Tests.Chat;

public sealed class DialectTests
{
    /// <summary>Real templates, each with the dialect its model is trained on.</summary>
    public static TheoryData<string, string> Templates => new()
    {
        { "Apertus-8B-Instruct", "Apertus" },
        { "Apriel-1.6-15b-Thinker-fixed", "Apriel" },
        { "Bielik-11B-v3.0-Instruct", "Hermes" },
        { "Cohere2MoE", "Cohere" },
        { "CohereForAI-c4ai-command-r-plus-tool_use", "Cohere, action" },
        { "CohereForAI-c4ai-command-r7b-12-2024-tool_use", "Cohere" },
        { "GLM-4.7-Flash", "GLM" },
        { "GLM-5.2", "GLM" },
        { "HuggingFaceTB-SmolLM3-3B", "generic" },
        { "Kimi-K2-Instruct", "Kimi K2" },
        { "Kimi-K2-Thinking", "Kimi K2" },
        { "MiMo-VL", "Hermes" },
        { "NVIDIA-Nemotron-3-Nano-30B-A3B-BF16", "Qwen Coder" },
        { "NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use", "Hermes" },
        { "NousResearch-Hermes-3-Llama-3.1-8B-tool_use", "Hermes" },
        { "Qwen-Qwen2.5-7B-Instruct", "Hermes" },
        { "Qwen-Qwen3-0.6B", "Hermes" },
        { "Qwen3-Coder", "Qwen Coder" },
        { "Reka-Edge", "Hermes" },
        { "StepFun3.5-Flash", "Qwen Coder" },
        { "deepseek-ai-DeepSeek-R1-Distill-Llama-8B", "DeepSeek R1" },
        { "deepseek-ai-DeepSeek-V3.1", "DeepSeek 3.1" },
        { "deepseek-ai-DeepSeek-V3.2", "DeepSeek DSML" },
        { "deepseek-ai-DeepSeek-V4", "DeepSeek DSML 4" },
        { "google-gemma-2-2b-it", "generic" },
        { "google-gemma-4-31B-it", "Gemma 4" },
        { "google-gemma-4-31B-it-interleaved", "Gemma 4" },
        { "llama-cpp-deepseek-r1", "DeepSeek R1" },
        { "llama-cpp-rwkv-world", "generic" },
        { "meetkai-functionary-medium-v3.1", "Functionary" },
        { "meta-llama-Llama-3.1-8B-Instruct", "Llama 3" },
        { "meta-llama-Llama-3.2-3B-Instruct", "Llama 3" },
        { "meta-llama-Llama-3.3-70B-Instruct", "Llama 3" },
        { "mistralai-Ministral-3-14B-Reasoning-2512", "Mistral, named" },
        { "mistralai-Mistral-Nemo-Instruct-2407", "Mistral" },
        { "moonshotai-Kimi-K2", "Kimi K2" },
        { "stepfun-ai-Step-3.5-Flash", "Qwen Coder" },
        { "unsloth-Apriel-1.5", "Apriel" },
        { "unsloth-mistral-Devstral-Small-2507", "Mistral, named" },
    };

    [Theory]
    [MemberData(nameof(Templates))]
    public void A_template_shows_its_dialect(string template, string expected)
    {
        string source = File.ReadAllText(Shared.Require($"data/templates/{template}.jinja"));
        Assert.Equal(expected, Dialect.Detect(source, _ => false).Name);
    }

    [Theory]
    [InlineData("", "generic")]
    [InlineData("<tool_call> </tool_call>", "Hermes")]
    [InlineData("<tool_call> </tool_call> <arg_key>", "GLM")]
    [InlineData("<|python_tag|> <|eom_id|>", "Llama 3")]
    [InlineData("[TOOL_CALLS]", "Mistral")]
    [InlineData("[TOOL_CALLS] [ARGS]", "Mistral, named")]
    [InlineData("<|channel|> <|constrain|> <|message|>", "harmony")]
    public void Without_a_template_the_vocabulary_tells(string tokens, string expected)
    {
        Assert.Equal(expected, Dialect.Detect("", tokens.Split(' ').Contains).Name);
        Assert.Equal(expected, Dialect.Detect("{% if tools %}", tokens.Split(' ').Contains).Name);
        Assert.Equal("generic", Dialect.Detect("{{ messages[0].content }}", tokens.Split(' ').Contains).Name);
    }

    /// <summary>A call written by the form, to the letter, is read as that call.</summary>
    [Fact]
    public void What_a_form_describes_is_what_its_parser_reads()
    {
        foreach (Dialect dialect in Dialect.All)
        {
            CallForm form = dialect.Forms[0];
            string first = Written(form, "get_weather", 0), second = Written(form, "now", 1);
            string reply = form.BlockBegin + first + form.Separator + second + form.BlockEnd;
            if (dialect.Name == "harmony")
                reply = first + "<|start|>assistant" + second;
            Assert.Equal(["get_weather", "now"], Replies.Message(dialect, reply).ToolCalls.Select(call => call.Name));
            Assert.StartsWith(form.Trigger, reply, StringComparison.Ordinal);
        }

        static string Written(CallForm form, string name, int number)
        {
            string arguments = form.Arguments switch
            {
                JsonEnvelope keys => $"{{\"{keys.NameKey}\": \"{name}\", \"{keys.ArgumentsKey}\": {{}}}}",
                TaggedArguments => "",
                _ => "{}",
            };
            if (form.Arguments is JsonEnvelope)
                return form.CallBegin + arguments + form.CallEnd;
            return form.CallBegin + (form.NumbersNames ? $"functions.{name}:{number}" : name) + form.NameEnd + arguments + form.CallEnd;
        }
    }

    [Theory]
    [InlineData("Hermes", "<|im_start|>assistant\n<think>\n", true)]
    [InlineData("Hermes", "<|im_start|>assistant\n<think>\n\n</think>\n\n", false)]
    [InlineData("Mistral, named", "[/INST][THINK]", true)]
    [InlineData("Cohere", "<|CHATBOT_TOKEN|><|START_THINKING|>", true)]
    public void A_prompt_that_opens_reasoning_is_known(string dialect, string prompt, bool opens) =>
        Assert.Equal(opens, Replies.Of(dialect).OpensReasoning(prompt));

    [Fact]
    public void A_choice_of_tools_says_what_a_grammar_must_allow()
    {
        Dialect hermes = Replies.Of("Hermes");
        CallRule none = hermes.Rule(Replies.Tools, ToolChoice.None, parallel: true);
        Assert.Empty(none.Tools);
        Assert.Equal(["<tool_call>"], none.Banned);
        CallRule one = hermes.Rule(Replies.Tools, ToolChoice.Of("run"), parallel: false);
        Assert.Equal(["run"], one.Tools.Select(tool => tool.Name));
        Assert.True(one.MustCall);
        Assert.False(one.Parallel);
        Assert.False(hermes.Rule(Replies.Tools, ToolChoice.Auto, parallel: true).MustCall);
        Assert.False(Replies.Of("Llama 3").Rule(Replies.Tools, ToolChoice.Required, parallel: true).Parallel);
        Assert.Throws<ArgumentException>(() => hermes.Rule(Replies.Tools, ToolChoice.Of("other"), parallel: true));
        Assert.Throws<ArgumentException>(() => hermes.Rule([], ToolChoice.Required, parallel: true));
    }

    [Fact]
    public void No_trigger_begins_with_another_of_its_dialect() =>
        Assert.All(Dialect.All, dialect =>
        {
            string[] triggers = [.. dialect.Forms.Select(form => form.Trigger).Where(trigger => trigger.Length > 0).Distinct()];
            Assert.All(triggers, a => Assert.DoesNotContain(triggers, b => a != b && b.StartsWith(a, StringComparison.Ordinal)));
        });
}
