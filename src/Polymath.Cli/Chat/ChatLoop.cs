using System.Text;
using Polymath.Chat;
using Polymath.Generation;
using Polymath.Generation.Constraints;

namespace Polymath.Cli.Chat;

/// <summary>Reads what a person types, line by line, and does it: commands that begin with a slash, messages otherwise.</summary>
internal sealed class ChatLoop(ChatModel model, Conversation conversation, ChatSettings settings, Grammar? format, Terminal terminal)
{
    private const string Quotes = "\"\"\"";

    private const string Help = """
        /system TEXT      standing instructions; without a text they are shown
        /retry            take the last answer back and ask for another one
        /undo             take the last message and its answer back
        /clear            begin anew; the instructions stay
        /set NAME VALUE   change a setting; without a name they are shown
        /save FILE        write the conversation to a file
        /load FILE        go on with the conversation of a file
        /stats            what the chat has taken so far
        /bye              leave; Ctrl-D does too
        A message of several lines stands between two lines of three quotes, or each of its lines but the last ends with a \.
        Ctrl-C ends an answer.
        """;

    private readonly ChatScreen _screen = new(terminal);
    private CancellationTokenSource? _answering;
    private bool _asked;        // Ctrl-C was answered with a hint
    private bool _interrupted;  // the last answer was
    private int _replies;
    private long _promptTokens, _cachedTokens, _replyTokens;
    private TimeSpan _time;

    /// <summary>Runs to the end of the input.</summary>
    public int Run()
    {
        terminal.OnInterrupt = Interrupt;
        try
        {
            while (ReadMessage() is { } message)
            {
                _asked = false;
                if (message.Trim().Length == 0)
                    continue;
                if (!message.StartsWith('/'))
                    Say(message);
                else if (!Obey(message))
                    return ExitCode.Success;
            }

            if (terminal.InputIsTerminal)
                terminal.Error.WriteLine();   // the prompt is left behind
            return ExitCode.Success;
        }
        finally
        {
            terminal.OnInterrupt = null;
        }
    }

    /// <summary>Answers one message; the exit code says how that went.</summary>
    public int Answer(string message)
    {
        terminal.OnInterrupt = Interrupt;
        bool answered = Say(message);
        terminal.OnInterrupt = null;
        return !answered ? ExitCode.Failure : _interrupted ? ExitCode.Interrupted : ExitCode.Success;
    }

    /// <summary>Adds a message, shows the answer and adds it too. An answer that was interrupted stays as far as it came.</summary>
    /// <returns>False when there is no answer; the message is then taken back.</returns>
    private bool Say(string text)
    {
        conversation.Add(ChatMessage.User(text));
        try
        {
            ChatResult result = Ask();
            conversation.Add(result.Message);
            Count(result.Generation);
            _interrupted = result.Generation.Reason == StopReason.Cancelled;
            _screen.Tell(ChatScreen.Summary(result.Generation));
            if (result.Generation.Reason == StopReason.ContextFull)
                _screen.Tell("/undo, /clear or a larger -c make room");
            return true;
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or InvalidDataException or FormatException)
        {
            conversation.TakeBack();
            _screen.EndReply();
            _screen.Complain(CommandLine.MessageOf(e));
            return false;
        }
    }

    private ChatResult Ask()
    {
        using var answering = new CancellationTokenSource();
        _answering = answering;
        try
        {
            ChatReply reply = model.Start(
                new ChatRequest
                {
                    Messages = conversation.Messages,
                    Format = format,
                    Thinking = settings.Thinking,
                    Generation = new GenerationOptions { MaxTokens = settings.MaxTokens, Sampling = settings.Sampling },
                },
                answering.Token);
            ShowAsync(reply).GetAwaiter().GetResult();
            return reply.Result;
        }
        finally
        {
            _answering = null;
            _screen.EndReply();
        }
    }

    private async Task ShowAsync(ChatReply reply)
    {
        await foreach (ChatDelta delta in reply.ReadAsync().ConfigureAwait(false))
            _screen.Show(delta);
    }

    /// <summary>Ctrl-C: ends an answer; at the prompt the first says how to leave, the second leaves.</summary>
    private bool Interrupt()
    {
        if (_answering is { } answering)
        {
            answering.Cancel();
            return true;
        }

        if (_asked || !terminal.InputIsTerminal)
            return false;
        _asked = true;
        terminal.Error.WriteLine();
        _screen.Tell("Ctrl-D or /bye leaves, and so does Ctrl-C once more");
        _screen.Prompt(goesOn: false);
        return true;
    }

    /// <summary>The next message, of one line or several; null at the end of the input.</summary>
    private string? ReadMessage()
    {
        if (ReadLine(goesOn: false) is not { } line)
            return null;
        if (line.TrimStart().StartsWith(Quotes, StringComparison.Ordinal))
            return ReadQuoted(line.TrimStart()[Quotes.Length..]);
        var message = new StringBuilder();
        while (line.EndsWith('\\'))
        {
            message.Append(line.AsSpan(0, line.Length - 1)).Append('\n');
            line = ReadLine(goesOn: true) ?? "";
        }

        return message.Append(line).ToString();
    }

    private string ReadQuoted(string first)
    {
        var message = new StringBuilder();
        for (string? line = first; line is not null; line = ReadLine(goesOn: true))
        {
            int end = line.IndexOf(Quotes, StringComparison.Ordinal);
            if (end >= 0)
                return message.Append(line.AsSpan(0, end)).ToString();
            if (message.Length > 0 || line.Length > 0)
                message.Append(line).Append('\n');
        }

        return message.ToString();
    }

    private string? ReadLine(bool goesOn)
    {
        if (terminal.InputIsTerminal)
            _screen.Prompt(goesOn);
        return terminal.ReadLine();
    }

    /// <summary>Does what a line with a slash says; false to leave.</summary>
    private bool Obey(string line)
    {
        string[] words = line.Split((char[]?)null, 2, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string rest = words.Length > 1 ? words[1] : "";
        try
        {
            switch (words[0].ToLowerInvariant())
            {
                case "/bye" or "/exit" or "/quit":
                    return false;
                case "/help" or "/?":
                    _screen.Tell(Help);
                    break;
                case "/system":
                    SetSystem(rest);
                    break;
                case "/retry":
                    Retry();
                    break;
                case "/undo":
                    _screen.Tell(conversation.TakeBack() is null ? "there is nothing to take back" : $"taken back; {conversation.Count} messages are left");
                    break;
                case "/clear":
                    conversation.Clear();
                    _screen.Tell("begun anew");
                    break;
                case "/set":
                    Set(rest);
                    break;
                case "/save" or "/load":
                    SaveOrLoad(words[0].ToLowerInvariant(), rest);
                    break;
                case "/stats":
                    _screen.Tell(Stats());
                    break;
                default:
                    _screen.Complain($"no command {words[0]}; /help lists them");
                    break;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or ArgumentException)
        {
            _screen.Complain(e.Message);
        }

        return true;
    }

    private void SetSystem(string text)
    {
        if (text.Length > 0)
            conversation.System = text;
        _screen.Tell(conversation.System.Length == 0 ? "there are no instructions" : $"instructions: {conversation.System}");
    }

    private void Retry()
    {
        if (conversation.TakeBack() is { } text)
            Say(text);
        else
            _screen.Tell("there is nothing to ask again");
    }

    private void Set(string rest)
    {
        string[] words = rest.Split((char[]?)null, 2, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string? problem = words.Length switch
        {
            0 => null,
            1 => $"/set {words[0]} needs a value",
            _ => settings.Set(words[0], words[1]),
        };
        if (problem is not null)
            _screen.Complain(problem);
        else
            _screen.Tell(string.Join('\n', settings.Lines.Where(l => words.Length == 0 || l.StartsWith(words[0] + " ", StringComparison.OrdinalIgnoreCase))));
    }

    private void SaveOrLoad(string command, string path)
    {
        if (path.Length == 0)
        {
            _screen.Complain($"{command} needs the name of a file");
            return;
        }

        if (command == "/save")
        {
            OutputFile.Check(path);
            conversation.Save(path);
        }
        else
        {
            conversation.Load(path, terminal.Cancellation);
        }

        _screen.Tell($"{conversation.Count} messages {(command == "/save" ? "written to" : "read from")} {Printable.OneLine(path)}");
    }

    private void Count(GenerationResult result)
    {
        _replies++;
        _promptTokens += result.PromptTokens;
        _cachedTokens += result.CachedTokens;
        _replyTokens += result.Ids.Count;
        _time += result.PromptTime + result.DecodeTime;
    }

    private string Stats() => string.Create(
        System.Globalization.CultureInfo.InvariantCulture,
        $"{_replies} answers: {_promptTokens} prompt tokens, {_cachedTokens} of them reused, {_replyTokens} tokens written, "
        + $"{_time.TotalSeconds:0.0} s; {conversation.Count} messages, a context of {model.Engine.ContextLength} tokens");
}
