using Polymath.Chat.Dialects;
using Polymath.Chat.Parsing;

namespace Polymath.Chat;

/// <summary>
/// The way a family of models writes calls of tools and reasoning. Found by what its chat template or vocabulary shows;
/// gives the parser of its replies and the form from which a grammar for them is composed.
/// </summary>
public abstract class Dialect
{
    private protected Dialect()
    {
    }

    /// <summary>All dialects in the order in which they are looked for; any model can be asked for the last, <see cref="Generic"/>.</summary>
    public static IReadOnlyList<Dialect> All { get; } =
    [
        new Harmony(), new DeepSeekMarkup("DSML", "function_calls"), new DeepSeekMarkup("DSML 4", "tool_calls"), new DeepSeekR1(), new DeepSeek(),
        new Kimi(), new Gemma(), new Glm(), new QwenCoder(), new Functionary(), new Cohere(), new CohereAction(), new MistralNamed(),
        new Mistral(), new Apriel(), new Apertus(), new Hermes(), new Llama(), new GenericJson(),
    ];

    /// <summary>JSON in tags, as the instruction of <see cref="ChatMessages"/> asks for it.</summary>
    public static Dialect Generic => All[^1];

    /// <summary>For messages and the command line.</summary>
    public abstract string Name { get; }

    /// <summary>How calls are written: first as the model is trained to, then what is read as well.</summary>
    public abstract IReadOnlyList<CallForm> Forms { get; }

    /// <summary>How reasoning is set apart.</summary>
    public virtual ReasoningForm Reasoning { get; } = new("<think>", "</think>");

    /// <summary>Tags around the answer that are no part of it.</summary>
    public virtual IReadOnlyList<string> Wrappers { get; } = ["<|im_end|>", "<|eot_id|>", "<|eom_id|>", "</s>"];

    /// <summary>What stands in front of an answer that is no call; empty for most.</summary>
    public virtual string AnswerBegin => "";

    /// <summary>True when the trigger is a token of its own, so that a call begins even where reasoning was not closed.</summary>
    public virtual bool CallsEndReasoning => false;

    /// <summary>True when the tool's result is tied to its call by an id that the model reads.</summary>
    public virtual bool ShowsIds => false;

    /// <summary>Special tokens, all of which a model of this dialect has when its template does not tell.</summary>
    private protected virtual IReadOnlyList<string> Tokens => [];

    /// <summary>Finds the dialect of a model.</summary>
    /// <param name="templateSource">Its chat template; empty when it has none.</param>
    /// <param name="hasSpecialToken">Whether its vocabulary has a special token of this text.</param>
    /// <returns>
    /// The dialect that the template shows; else, where the template speaks of tools or is empty, that of the vocabulary;
    /// else <see cref="Generic"/>.
    /// </returns>
    public static Dialect Detect(string templateSource, Func<string, bool> hasSpecialToken)
    {
        ArgumentNullException.ThrowIfNull(templateSource);
        ArgumentNullException.ThrowIfNull(hasSpecialToken);
        foreach (Dialect dialect in All)
        {
            if (dialect.IsShownBy(templateSource))
                return dialect;
        }

        if (templateSource.Length > 0 && !ShowsTools(templateSource))
            return Generic;
        return All.FirstOrDefault(dialect => dialect.Tokens.Count > 0 && dialect.Tokens.All(hasSpecialToken)) ?? Generic;
    }

    /// <summary>True when a template can present tools to the model.</summary>
    public static bool ShowsTools(string templateSource)
    {
        const string Word = "tools";
        ReadOnlySpan<char> rest = templateSource;
        for (int at; (at = rest.IndexOf(Word)) >= 0; rest = rest[(at + Word.Length)..])
        {
            bool isWhole = (at == 0 || !IsWordCharacter(rest[at - 1])) && (at + Word.Length == rest.Length || !IsWordCharacter(rest[at + Word.Length]));
            if (isWhole)
                return true;
        }

        return false;

        static bool IsWordCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c == '_';
    }

    /// <summary>A parser of one reply.</summary>
    /// <param name="options">What was offered, and where the reply begins.</param>
    /// <param name="sink">Receives what is found.</param>
    /// <exception cref="ArgumentException">Two tools have one name.</exception>
    public virtual ReplyParser NewParser(ReplyOptions options, ReplySink sink) => new FormReplyParser(this, options, sink);

    /// <summary>True when a prompt ends inside of reasoning, which the reply goes on with.</summary>
    public bool OpensReasoning(ReadOnlySpan<char> prompt) => prompt.TrimEnd().EndsWith(Reasoning.Begin);

    /// <summary>The id of a call for which the model gives none.</summary>
    /// <param name="tool">The tool called.</param>
    /// <param name="number">Number of the call in the conversation, from 0.</param>
    public virtual string NewId(string tool, int number) => string.Create(null, $"call_{number}");

    /// <summary>The id under which a call of any origin is shown to this model.</summary>
    public virtual string ShownId(string id) => id;

    /// <summary>What a choice of tools asks of the reply.</summary>
    /// <exception cref="ArgumentException">A call is required and the tool is not there.</exception>
    public CallRule Rule(IReadOnlyList<ToolDefinition> tools, ToolChoice choice, bool parallel)
    {
        ArgumentNullException.ThrowIfNull(choice);
        IReadOnlyList<ToolDefinition> allowed = choice.Allowed(tools);
        string[] triggers = [.. Forms.Select(form => form.Trigger).Where(trigger => trigger.Length > 0).Distinct()];
        return new CallRule(Forms[0], allowed, choice.IsRequired, parallel && Forms[0].Parallel, allowed.Count == 0 ? triggers : [], Reasoning);
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <summary>True when the text of a chat template shows this dialect and no earlier one.</summary>
    private protected abstract bool IsShownBy(string template);
}

/// <summary>What a grammar must let a reply be: reasoning, then text with calls in it, or calls only, or text only.</summary>
/// <param name="Form">How calls are written.</param>
/// <param name="Tools">The tools that may be called.</param>
/// <param name="MustCall">True when the reply, after reasoning, begins with a call.</param>
/// <param name="Parallel">True when there may be several calls.</param>
/// <param name="Banned">Texts that must not come: the triggers, when no tool may be called.</param>
/// <param name="Reasoning">What may come first, without any constraint inside.</param>
public sealed record CallRule(
    CallForm Form, IReadOnlyList<ToolDefinition> Tools, bool MustCall, bool Parallel, IReadOnlyList<string> Banned, ReasoningForm Reasoning);
