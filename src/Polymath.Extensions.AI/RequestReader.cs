using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.Extensions.AI;
using Polymath.Generation;
using Polymath.Generation.Constraints;
using Polymath.Text.Templates;

namespace Polymath.Extensions.AI;

/// <summary>
/// Reads what a request of the abstractions asks for. Every option is honoured or refused by its name; that none is
/// forgotten is held by a test. For all threads.
/// </summary>
internal sealed class RequestReader(Chat.ChatModel model, string modelId, GenerationOptions defaults)
{
    private const int MostFormats = 64;

    private readonly ConcurrentDictionary<string, Grammar> _formats = new(StringComparer.Ordinal);   // by schema
    private readonly Lazy<ChatTemplate> _template = new(() => ChatTemplates.Of(model.Model.Source).Default);

    /// <summary>The request for the engine.</summary>
    /// <exception cref="NotSupportedException">Something cannot be honoured; the message names it.</exception>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="ConstraintException">The schema of the format has a keyword that cannot be honoured.</exception>
    public Chat.ChatRequest Read(IEnumerable<ChatMessage> messages, ChatOptions? options, IChatClient client)
    {
        options ??= new ChatOptions();
        RefuseState(options);
        var extra = ExtraOptions.Read(options.AdditionalProperties);
        var tools = Tools(options.Tools);
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        bool? thinking = Thinking(options.Reasoning, extra, variables);
        return new Chat.ChatRequest
        {
            Messages = Conversation.Read(messages, options.Instructions),
            Tools = tools,
            ToolChoice = Choice(options.ToolMode, tools),
            ParallelCalls = options.AllowMultipleToolCalls ?? true,
            Format = Format(options.ResponseFormat),
            Thinking = thinking,
            Variables = variables,
            Generation = Generation(options, extra, client),
        };
    }

    private void RefuseState(ChatOptions options)
    {
        if (options.ModelId is { } asked && asked != modelId)
            throw new NotSupportedException($"ModelId {asked}: this client has the model {modelId}");
        if (options.ConversationId is not null)
            throw new NotSupportedException("ConversationId: no conversation is kept here, each request brings its own");
#pragma warning disable MEAI001 // experimental: refused, so that nobody waits for what never comes
        // AllowBackgroundResponses is a permission, which is never made use of.
        if (options.ContinuationToken is not null)
            throw new NotSupportedException("ContinuationToken: no response goes on in the background");
#pragma warning restore MEAI001
    }

    private GenerationOptions Generation(ChatOptions options, ExtraOptions extra, IChatClient client)
    {
        GenerationOptions start = options.RawRepresentationFactory?.Invoke(client) switch
        {
            null => defaults,
            GenerationOptions raw => raw,
            { } other => throw new NotSupportedException($"RawRepresentationFactory gave a {other.GetType().Name}, not a GenerationOptions"),
        };
        if (options.MaxOutputTokens is <= 0)
            throw new ArgumentOutOfRangeException(nameof(options), $"MaxOutputTokens is {options.MaxOutputTokens}; it must be positive");
        SamplingOptions sampling = start.Sampling;
        return start with
        {
            MaxTokens = options.MaxOutputTokens ?? start.MaxTokens,
            Stop = options.StopSequences is { Count: > 0 } stop ? [.. stop] : start.Stop,
            Sampling = sampling with
            {
                Temperature = options.Temperature ?? sampling.Temperature,
                TopK = options.TopK ?? sampling.TopK,
                TopP = options.TopP ?? sampling.TopP,
                MinP = extra.MinP ?? sampling.MinP,
                RepeatPenalty = extra.RepeatPenalty ?? sampling.RepeatPenalty,
                FrequencyPenalty = options.FrequencyPenalty ?? sampling.FrequencyPenalty,
                PresencePenalty = options.PresencePenalty ?? sampling.PresencePenalty,
                Seed = options.Seed is { } seed ? unchecked((ulong)seed) : sampling.Seed,
            },
        };
    }

    private static Chat.ToolDefinition[] Tools(IList<AITool>? tools) =>
        [.. (tools ?? []).Select(tool => tool is AIFunctionDeclaration function
            ? new Chat.ToolDefinition(function.Name, function.Description, function.JsonSchema)
            : throw new NotSupportedException($"Tools: {tool.GetType().Name} is not supported, only functions are"))];

    private static Chat.ToolChoice Choice(ChatToolMode? mode, Chat.ToolDefinition[] tools)
    {
        Chat.ToolChoice choice = mode switch
        {
            null or AutoChatToolMode => Chat.ToolChoice.Auto,
            NoneChatToolMode => Chat.ToolChoice.None,
            RequiredChatToolMode { RequiredFunctionName: { } name } => Chat.ToolChoice.Of(name),
            RequiredChatToolMode => Chat.ToolChoice.Required,
            _ => throw new NotSupportedException($"ToolMode {mode.GetType().Name} is not supported"),
        };
        _ = choice.Allowed(tools);   // a call that is required must be possible
        return choice;
    }

    private Grammar? Format(ChatResponseFormat? format)
    {
        switch (format)
        {
            case null or ChatResponseFormatText:
                return null;
            case ChatResponseFormatJson json:
                string schema = json.Schema is { } element ? element.GetRawText() : """{"type":"object"}""";
                if (_formats.Count >= MostFormats)
                    _formats.Clear();
                return _formats.GetOrAdd(schema, static text => Grammar.JsonSchema(text));
            default:
                throw new NotSupportedException($"ResponseFormat {format.GetType().Name} is not supported");
        }
    }

    /// <summary>Whether to reason first; how hard, where the template can be told, stands in the variables.</summary>
    private bool? Thinking(ReasoningOptions? reasoning, ExtraOptions extra, Dictionary<string, string> variables)
    {
        const string EffortVariable = "reasoning_effort";
        if (reasoning?.Output == ReasoningOutput.Summary)
            throw new NotSupportedException("Reasoning.Output Summary: reasoning is not summarised; take Full or None");
        bool? wanted = extra.EnableThinking;
        if (reasoning?.Effort is { } effort)
        {
            wanted ??= effort != ReasoningEffort.None;
            if (effort != ReasoningEffort.None && _template.Value.UsesVariable(EffortVariable))
            {
                variables[EffortVariable] = effort switch
                {
                    ReasoningEffort.Low => "\"low\"",
                    ReasoningEffort.Medium => "\"medium\"",
                    _ => "\"high\"",
                };
                return wanted;
            }
        }

        bool canObey = wanted is null || model.CanSwitchThinking
            || (wanted == false && !_template.Value.Source.Contains(model.Dialect.Reasoning.Begin, StringComparison.Ordinal));
        if (canObey)
            return wanted;
        string name = extra.EnableThinking is null ? "Reasoning.Effort" : ExtraOptions.EnableThinkingKey;
        throw new NotSupportedException($"{name}: the template of {modelId} has no switch for reasoning");
    }

    /// <summary>What the abstractions have no names for.</summary>
    private readonly record struct ExtraOptions(float? MinP, float? RepeatPenalty, bool? EnableThinking)
    {
        public const string MinPKey = "min_p", RepeatPenaltyKey = "repeat_penalty", EnableThinkingKey = "enable_thinking";

        public static ExtraOptions Read(AdditionalPropertiesDictionary? properties)
        {
            var options = default(ExtraOptions);
            if (properties is null)
                return options;
            foreach ((string key, object? value) in properties)
            {
                options = key switch
                {
                    MinPKey => options with { MinP = Number(key, value) },
                    RepeatPenaltyKey => options with { RepeatPenalty = Number(key, value) },
                    EnableThinkingKey => options with { EnableThinking = Switch(key, value) },
                    _ => throw new NotSupportedException(
                        $"AdditionalProperties: {key} is not known; {MinPKey}, {RepeatPenaltyKey} and {EnableThinkingKey} are"),
                };
            }

            return options;
        }

        private static float Number(string key, object? value) => value switch
        {
            float number => number,
            double number => (float)number,
            decimal number => (float)number,
            int number => number,
            long number => number,
            JsonElement { ValueKind: JsonValueKind.Number } element => element.GetSingle(),
            _ => throw new ArgumentException($"AdditionalProperties: {key} is no number", nameof(value)),
        };

        private static bool Switch(string key, object? value) => value switch
        {
            bool choice => choice,
            JsonElement { ValueKind: JsonValueKind.True } => true,
            JsonElement { ValueKind: JsonValueKind.False } => false,
            _ => throw new ArgumentException($"AdditionalProperties: {key} is neither true nor false", nameof(value)),
        };
    }
}
