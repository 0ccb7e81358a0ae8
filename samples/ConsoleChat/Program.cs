// A chat in the terminal: dotnet run -c Release --project samples/ConsoleChat -- MODEL
// Ctrl-C ends a reply; an empty line ends the chat.
using Microsoft.Extensions.AI;
using Polymath.Extensions.AI;

if (args is not [string path])
{
    Console.Error.WriteLine("usage: ConsoleChat MODEL");
    return 2;
}

using PolymathChatClient client = PolymathChatClient.Load(path);
var history = new List<ChatMessage> { new(ChatRole.System, "You are a friendly assistant.") };
CancellationTokenSource? running = null;
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = running is not null;
    running?.Cancel();
};

while (true)
{
    Console.Write("> ");
    if (Console.ReadLine() is not { Length: > 0 } line)
        return 0;
    history.Add(new ChatMessage(ChatRole.User, line));
    var updates = new List<ChatResponseUpdate>();
    using var reply = new CancellationTokenSource();
    running = reply;
    try
    {
        await foreach (ChatResponseUpdate update in client.GetStreamingResponseAsync(history, cancellationToken: reply.Token))
        {
            Console.Write(update.Text);
            updates.Add(update);
        }
    }
    catch (OperationCanceledException)
    {
        Console.Write(" …");
    }

    running = null;
    Console.WriteLine();
    history.AddMessages(updates);
}
