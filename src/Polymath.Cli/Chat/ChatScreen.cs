using System.Globalization;
using Polymath.Chat;
using Polymath.Generation;

namespace Polymath.Cli.Chat;

/// <summary>
/// Shows a chat: answers on standard output and nothing else there, what is said about them on standard error. A
/// person sees reasoning dimmed; a program does not get it.
/// </summary>
internal sealed class ChatScreen(Terminal terminal)
{
    private const string Dim = "\u001b[2m", Plain = "\u001b[0m";

    private readonly bool _colours = terminal.OutputIsTerminal && terminal.ErrorIsTerminal && terminal.Variable("NO_COLOR") is null or "";
    private ReplyPart _last = ReplyPart.Content;
    private bool _lineIsOpen;

    /// <summary>Asks for the next line.</summary>
    public void Prompt(bool goesOn) => terminal.Error.Write(goesOn ? "... " : ">>> ");

    /// <summary>Says something about the chat.</summary>
    public void Tell(string text) => terminal.Error.WriteLine(_colours ? $"{Dim}{text}{Plain}" : text);

    /// <summary>Says what went wrong.</summary>
    public void Complain(string text) => terminal.Error.WriteLine($"polymath: {Printable.OneLine(text)}");

    /// <summary>Shows a piece of a reply.</summary>
    public void Show(ChatDelta delta)
    {
        bool isReasoning = delta.Part == ReplyPart.Reasoning;
        if (delta.Text.Length == 0 || (isReasoning && !terminal.OutputIsTerminal))
            return;
        if (isReasoning != (_last == ReplyPart.Reasoning))
        {
            if (_lineIsOpen && !isReasoning)
                terminal.WriteNow("\n\n");
            if (_colours)
                terminal.WriteNow(isReasoning ? Dim : Plain);
        }

        _last = delta.Part;
        terminal.WriteNow(terminal.OutputIsTerminal ? Printable.Tame(delta.Text) : delta.Text);
        _lineIsOpen = !delta.Text.EndsWith('\n');
    }

    /// <summary>Ends a reply, however it ended.</summary>
    public void EndReply()
    {
        if (_colours && _last == ReplyPart.Reasoning)
            terminal.WriteNow(Plain);
        if (_lineIsOpen)
            terminal.WriteNow("\n");
        (_lineIsOpen, _last) = (false, ReplyPart.Content);
    }

    /// <summary>One line about how a reply went.</summary>
    public static string Summary(GenerationResult result)
    {
        string end = result.Reason switch
        {
            StopReason.Cancelled => "; interrupted",
            StopReason.MaxTokens => "; the most tokens that were asked for",
            StopReason.ContextFull => "; the context is full",
            _ => "",
        };
        int computed = result.PromptTokens - result.CachedTokens;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"prompt {result.PromptTokens} tokens, {result.CachedTokens} of them reused, {Figures.Rate(computed, result.PromptTime)} tokens/s; "
            + $"reply {result.Ids.Count} tokens, {Figures.Rate(result.Ids.Count, result.DecodeTime)} tokens/s{end}");
    }
}
