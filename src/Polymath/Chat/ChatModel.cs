using Polymath.Files;
using Polymath.Generation;
using Polymath.Generation.Batching;
using Polymath.Generation.Constraints;
using Polymath.Models;
using Polymath.Text;
using Polymath.Text.Templates;

namespace Polymath.Chat;

/// <summary>
/// A model one can talk to: its chat template turns a conversation into a prompt, an engine writes the reply, its dialect
/// takes the reply apart into answer, reasoning and calls. Safe for concurrent callers, who share the engine's batches.
/// </summary>
public sealed class ChatModel : IDisposable
{
    private readonly bool _ownsModel;
    private readonly ChatTemplates _templates;
    private readonly Lazy<QuotedText> _quoting;
    private readonly Lazy<Dialect> _dialect;

    /// <summary>Starts an engine over <paramref name="model"/>, which must outlive it.</summary>
    /// <exception cref="TemplateException">The model's chat template is wrong.</exception>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public ChatModel(Model model, EngineOptions? options = null)
        : this(model, options, ownsModel: false)
    {
    }

    private ChatModel(Model model, EngineOptions? options, bool ownsModel)
    {
        ArgumentNullException.ThrowIfNull(model);
        _ownsModel = ownsModel;
        _templates = ChatTemplates.Of(model.Source);
        _quoting = new Lazy<QuotedText>(() => new QuotedText(model.Tokenizer));
        _dialect = new Lazy<Dialect>(() => Dialect.Detect(_templates.Default.Source, HasControlToken));
        Engine = new Engine(model, options);
    }

    /// <summary>The model.</summary>
    public Model Model => Engine.Model;

    /// <summary>What writes the replies.</summary>
    public Engine Engine { get; }

    /// <summary>How the model writes calls and reasoning.</summary>
    public Dialect Dialect => _dialect.Value;

    /// <summary>False where the file has no template: then ChatML is taken, which the model may not have been trained on.</summary>
    public bool HasTemplate => _templates.IsOfModel;

    /// <summary>Whether the template has a switch for reasoning.</summary>
    public bool CanSwitchThinking => _templates.Default.UsesVariable("enable_thinking");

    /// <summary>Loads a model, which is then owned.</summary>
    /// <exception cref="ModelFormatException">Damaged, or an architecture or format that is not supported.</exception>
    /// <exception cref="FileNotFoundException">Nothing at <paramref name="path"/>.</exception>
    public static ChatModel Load(string path, ModelOptions? modelOptions = null, EngineOptions? options = null)
    {
        Model model = Model.Load(path, modelOptions);
        try
        {
            return new ChatModel(model, options, ownsModel: true);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>The prompt of a request as text, for people to look at. What looks like a control token in it is marked with U+FDD0 and U+FDD1.</summary>
    /// <exception cref="TemplateException">The template refuses the conversation.</exception>
    public string Render(ChatRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.Messages.Count == 0)
            throw new ArgumentException("a conversation has at least one message", nameof(request));
        IReadOnlyList<ToolDefinition> tools = request.ToolChoice.IsNone ? [] : request.Tools;
        ChatTemplate template = tools.Count > 0 ? _templates.ForTools : _templates.Default;
        ChatMessage[] messages = [.. request.Messages.Select(message => message.WithText(_quoting.Value.Quote))];
        Tokenizer tokenizer = Model.Tokenizer;
        var variables = new Dictionary<string, TemplateValue>(StringComparer.Ordinal)
        {
            ["add_generation_prompt"] = true,
            ["bos_token"] = tokenizer.BeginId is { } begin ? tokenizer.TokenText(begin) : "",
            ["eos_token"] = tokenizer.EndId is { } end ? tokenizer.TokenText(end) : "",
        };
        foreach ((string name, System.Text.Json.Nodes.JsonNode? value) in ChatMessages.ToJson(messages, tools, template.Source, Dialect))
            variables[name] = TemplateValue.Parse(value?.ToJsonString() ?? "null");
        if (request.Thinking is { } thinking)
            variables["enable_thinking"] = thinking;
        foreach ((string name, string json) in request.Variables)
            variables[name] = TemplateValue.Parse(json);
        return template.Render(variables);
    }

    /// <summary>The prompt of a request.</summary>
    /// <exception cref="TemplateException">The template refuses the conversation.</exception>
    public int[] Encode(ChatRequest request) => _quoting.Value.Encode(Render(request));

    /// <summary>Asks for a reply; it is written while its pieces are read.</summary>
    /// <param name="request">The conversation and how to go on with it.</param>
    /// <param name="cancellation">Ends the reply; its memory is free after the step that runs.</param>
    /// <exception cref="ArgumentException">The prompt is longer than the context, or an option is out of its range.</exception>
    /// <exception cref="TemplateException">The template refuses the conversation.</exception>
    /// <exception cref="ConstraintException">A tool's schema cannot be honoured, or the vocabulary cannot write what the format asks for.</exception>
    /// <exception cref="EngineBusyException">Too many requests wait.</exception>
    public ChatReply Start(ChatRequest request, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.Tools.DistinctBy(tool => tool.Name).Count() < request.Tools.Count)
            throw new ArgumentException("two tools have the same name", nameof(request));
        string prompt = Render(request);
        bool inside = Dialect.OpensReasoning(prompt);
        CallRule? rule = request.Tools.Count == 0 || request.ToolChoice.IsNone
            ? null : Dialect.Rule(request.Tools, request.ToolChoice, request.ParallelCalls);
        ReasoningStart reasoning = inside ? ReasoningStart.Inside : MayReason(request) ? ReasoningStart.Possible : ReasoningStart.None;
        Grammar? grammar = ReplyGrammar.Compose(rule, request.Format, Dialect, reasoning) ?? request.Generation.Grammar;
        GenerationOptions options = request.Generation with { Grammar = grammar, ControlText = true };
        PendingAnswer answer = Engine.Start(_quoting.Value.Encode(prompt), options, request.Caller, cancellation);
        var parsing = new ReplyOptions
        {
            Tools = rule?.Tools ?? [],
            StartsInReasoning = inside,
            FirstCall = request.Messages.Sum(message => message.ToolCalls.Count),
        };
        return new ChatReply(answer, Dialect, parsing, Model.Tokenizer);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Engine.Dispose();
        if (_ownsModel)
            Model.Dispose();
    }

    private bool MayReason(ChatRequest request) =>
        request.Thinking != false && _templates.Default.Source.Contains(Dialect.Reasoning.Begin, StringComparison.Ordinal);

    private bool HasControlToken(string text)
    {
        int[] ids = Model.Tokenizer.Encode(text, addSpecial: false, parseSpecial: true);
        return ids.Length == 1;
    }
}
